/** One word of a rule; quoted words are never options. */
export interface Word {
  readonly text: string;
  readonly isQuoted: boolean;
}

/** Words as iptables-restore splits them: double quotes, inside of them a backslash before any character; null: unclosed. */
export function wordsOf(text: string): readonly Word[] | null {
  const pattern = /\s*(?:"((?:[^"\\]|\\.)*)"(?=\s|$)|([^\s"]+)(?=\s|$))/gy;
  const words: Word[] = [];
  let end = 0;
  for (const match of text.matchAll(pattern)) {
    const [whole, quoted, plain] = match;
    words.push({ text: plain ?? (quoted ?? '').replaceAll(/\\(.)/g, '$1'), isQuoted: plain === undefined });
    end = match.index + whole.length;
  }
  return text.slice(end).trim() === '' ? words : null;
}
