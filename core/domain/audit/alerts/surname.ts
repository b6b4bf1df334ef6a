/** Words before and after a name that are no part of it, and particles that stand before many surnames. */
const notNames = new Set(
  'dr prof mr mrs ms miss mx sir nurse sister doctor rn lpn np pa md do phd msw lcsw jr sr ii iii de del della di da dos das la las los el y e van von der den ter te le du af av bin ibn al st'.split(
    ' ',
  ),
)

const plain = (text: string): string =>
  text
    .normalize('NFKD')
    .replace(/\p{M}/gu, '')
    .toLowerCase()
    .replaceAll('ß', 'ss')
    .replaceAll('ø', 'o')
    .replaceAll('ł', 'l')

const wordsOf = (text: string): string[] =>
  plain(text)
    .replace(/\([^)]*\)/g, ' ')
    .split(/[^\p{L}'’]+/u)
    .map(w => w.replace(/['’]/g, ''))
    .filter(w => w.length > 1 && !notNames.has(w))

/**
 * The surnames in a name, normalised so that spelling does not tell them apart (`García` and `GARCIA`): what stands before a comma, else every word but the
 * first, else the only word. At most three, sorted; titles and particles are left out.
 */
export const surnamesOf = (name: string): string[] => {
  // In Chinese and Korean writing the surname comes first, and is one character but for a few.
  const [east] = /^[\p{Script=Han}\p{Script=Hangul}]/u.exec(name.normalize('NFC').trim()) ?? []
  if (east) return [east]
  const [before, after] = name.split(',', 2)
  const reversed = after !== undefined && wordsOf(after).length > 0
  const words = wordsOf(reversed ? (before ?? '') : name)
  const surnames = reversed || words.length < 2 ? words : words.slice(1)
  return [...new Set(surnames.slice(-3))].sort()
}
