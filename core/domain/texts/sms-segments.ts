/** How an SMS travels: 7-bit letters of GSM 03.38, or UTF-16 as soon as one letter is not in that alphabet. */
export type Segments = { encoding: 'gsm-7' | 'ucs-2'; units: number; segments: number }

const basic =
  '@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !"#¤%&\'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà'
const extended = '^{}\\[~]|€\f'
const cost = new Map<string, number>([
  ...[...basic].map(c => [c, 1] as const),
  ...[...extended].map(c => [c, 2] as const),
])

/** Fills parts of `size` units with characters that may not be cut. */
const fill = (costs: readonly number[], size: number): number => {
  let parts = 1
  let used = 0
  for (const c of costs) {
    if (used + c > size) {
      parts += 1
      used = 0
    }
    used += c
  }
  return parts
}

/** Counts as the network and the bill do (3GPP TS 23.038): 160 or 70 units alone, 153 or 67 in each of several parts; an empty text is one segment. */
export const countSegments = (text: string): Segments => {
  const characters = [...text]
  const gsm = characters.every(c => cost.has(c))
  const costs = characters.map(c => (gsm ? (cost.get(c) ?? 1) : c.length))
  const units = costs.reduce((sum, c) => sum + c, 0)
  const [alone, joined] = gsm ? [160, 153] : [70, 67]
  return { encoding: gsm ? 'gsm-7' : 'ucs-2', units, segments: units <= alone ? 1 : fill(costs, joined) }
}

const lookAlikes: Record<string, string> = {
  '‘': "'",
  '’': "'",
  '“': '"',
  '”': '"',
  '–': '-',
  '—': '-',
  '…': '...',
  '\u00a0': ' ',
}

/** The nearest text in the GSM alphabet: typographic marks become plain ones, letters with an accent that it lacks lose the accent; what has no look-alike stays. */
export const toGsm = (text: string): string =>
  [...text.normalize('NFC')]
    .map(c => {
      if (cost.has(c)) return c
      const plain = lookAlikes[c] ?? c.normalize('NFD').replace(/\p{M}/gu, '')
      return plain.length > 0 && [...plain].every(p => cost.has(p)) ? plain : c
    })
    .join('')

/** The text as it is when it fits into `most` segments, else without the accents that make it longer. */
export const fitSegments = (text: string, most = 2): string =>
  countSegments(text).segments <= most ? text : toGsm(text)
