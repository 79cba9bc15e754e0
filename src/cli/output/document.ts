import { escapeUnits } from './text.ts';

/** What JSON or YAML lets stand as it is, and a terminal would obey; lines are ended by the formats themselves. */
const STEERING = /(?!\n)[\p{Cc}\p{Cf}\u2028\u2029]/gu;

/** Indented JSON, free of characters that steer a terminal, ended. */
export function formatJson(value: unknown): string {
  return `${JSON.stringify(value, null, 2).replaceAll(STEERING, escapeUnits)}\n`;
}

/** YAML 1.2, free of characters that steer a terminal, ended. */
export async function formatYaml(value: unknown): Promise<string> {
  const { Document, isScalar, Scalar, visit } = await import('yaml');
  const document = new Document(value, { aliasDuplicateObjects: false });
  visit(document, {
    Scalar: (_, node) => {
      // Only in double quotes does YAML know escapes.
      if (isScalar(node) && typeof node.value === 'string' && node.value.search(STEERING) >= 0) {
        node.type = Scalar.QUOTE_DOUBLE;
      }
    },
  });
  return document.toString({ lineWidth: 0 }).replaceAll(STEERING, (character) => {
    return `\\U${(character.codePointAt(0) ?? 0).toString(16).padStart(8, '0')}`;
  });
}
