/** A logical line: unfolded, with the number of the physical line where it begins (from 1). `cut` when it was longer than allowed. */
export type Line = { number: number; text: string; cut: boolean }

const bom = '\uFEFF'

/** The text's lines, unfolded (RFC 5545 3.1): CRLF, LF or CR between them; a line that begins with a space or a tab goes on. What exceeds `longest` characters of a line is left out. */
export const unfold = (text: string, longest: number): Line[] => {
  const lines: Line[] = []
  let parts: string[] = []
  let length = 0
  let open: Line | undefined
  const close = () => {
    if (open && length > 0) lines.push({ ...open, text: parts.join('') })
  }
  const breaks = /\r\n|\n|\r/g
  let at = text.startsWith(bom) ? 1 : 0
  for (let number = 1; at <= text.length; number += 1) {
    breaks.lastIndex = at
    const found = breaks.exec(text)
    const end = found ? found.index : text.length
    const goesOn = open !== undefined && (text[at] === ' ' || text[at] === '\t')
    if (!goesOn) {
      close()
      open = { number, text: '', cut: false }
      parts = []
      length = 0
    }
    const from = goesOn ? at + 1 : at
    const room = longest - length
    const part = text.slice(from, Math.min(end, from + room))
    if (end - from > room && open) open.cut = true
    parts.push(part)
    length += part.length
    if (!found) break
    at = found.index + found[0].length
  }
  close()
  return lines
}
