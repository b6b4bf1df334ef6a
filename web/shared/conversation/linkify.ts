export type Piece = { text: string; href?: string }

const address = /\bhttps?:\/\/[^\s<>"']+/gi
const trailing = /[.,;:!?)\]]+$/

/** Splits a text into plain pieces and web addresses; a full stop that ends the sentence is not part of the address. */
export const linkify = (text: string): Piece[] => {
  const pieces: Piece[] = []
  let from = 0
  for (const found of text.matchAll(address)) {
    const href = found[0].replace(trailing, '')
    if (!isWebAddress(href)) continue
    if (found.index > from) pieces.push({ text: text.slice(from, found.index) })
    pieces.push({ text: href, href })
    from = found.index + href.length
  }
  if (from < text.length) pieces.push({ text: text.slice(from) })
  return pieces
}

const isWebAddress = (text: string): boolean => {
  const url = URL.parse(text)
  return url !== null && (url.protocol === 'https:' || url.protocol === 'http:') && url.username === ''
}
