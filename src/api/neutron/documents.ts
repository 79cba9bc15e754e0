/** Something as it is answered, key by key. */
export type Document = Readonly<Record<string, unknown>>;
