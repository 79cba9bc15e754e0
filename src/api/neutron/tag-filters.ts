type Filters = ReadonlyMap<string, readonly string[]>;

/** What each of Neutron's filters for tags says of an item that has these (neutron-lib, db/model_query; api-ref, "Tag filtering"). */
const MATCHES: Readonly<Record<string, (tags: readonly string[], wanted: readonly string[]) => boolean>> = {
  tags: (tags, wanted) => wanted.every((tag) => tags.includes(tag)),
  'tags-any': (tags, wanted) => wanted.some((tag) => tags.includes(tag)),
  'not-tags': (tags, wanted) => !wanted.every((tag) => tags.includes(tag)),
  'not-tags-any': (tags, wanted) => !wanted.some((tag) => tags.includes(tag)),
};

/** Whether the filters for tags let an item with these through; each value is a list with commas. */
export function hasWantedTags(tags: readonly string[], filters: Filters): boolean {
  return Object.entries(MATCHES).every(([key, matches]) => {
    const values = filters.get(key);
    return (
      values === undefined ||
      matches(
        tags,
        values.flatMap((value) => value.split(',')),
      )
    );
  });
}

/** The filters that are for something else. */
export function withoutTagFilters(filters: Filters): Filters {
  return new Map([...filters].filter(([key]) => !Object.hasOwn(MATCHES, key)));
}
