/** What can move the cursor, reorder or hide text on a terminal. */
const INVISIBLE = /[\p{Cc}\p{Cf}\u2028\u2029]/gu;

/** Two columns wide on a terminal: Unicode's East Asian Width W and F (UAX #11), and emoji. */
const WIDE =
  /[\u1100-\u115f\u2e80-\u303e\u3041-\ua4cf\ua960-\ua97c\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff01-\uff60\uffe0-\uffe6\u{17000}-\u{18cff}\u{1b000}-\u{1b2ff}\u{20000}-\u{3fffd}]|\p{Emoji_Presentation}/u;

/** Characters that lie over the one before them. */
const COMBINING = /[\p{Mn}\p{Me}]/u;

/** Control and formatting characters spelled out, as in error messages: what users wrote never steers a terminal. */
export function visible(text: string): string {
  return text.replaceAll(INVISIBLE, (character) => escapeUnits(character));
}

/** `\uXXXX` for each UTF-16 unit, as JSON writes it. */
export function escapeUnits(text: string): string {
  return Array.from({ length: text.length }, (_, index) => {
    return `\\u${text.charCodeAt(index).toString(16).padStart(4, '0')}`;
  }).join('');
}

/** How many columns a terminal shows the text in. */
export function displayWidth(text: string): number {
  let width = 0;
  for (const character of text) width += WIDE.test(character) ? 2 : COMBINING.test(character) ? 0 : 1;
  return width;
}

/** The spaces that make the text `width` columns wide. */
export function padding(width: number, text: string): string {
  return ' '.repeat(Math.max(0, width - displayWidth(text)));
}
