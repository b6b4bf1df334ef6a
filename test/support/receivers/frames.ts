/** Reads RFC 5425 octet counting strictly: whole messages, and what is left of an unfinished one. @throws where a count is missing or wrong. */
export const readFrames = (stream: Buffer): { messages: Buffer[]; rest: Buffer } => {
  const messages: Buffer[] = []
  let at = 0
  while (at < stream.length) {
    const space = stream.indexOf(32, at)
    if (space < 0) break
    const count = stream.subarray(at, space).toString('latin1')
    if (!/^[1-9]\d{0,8}$/.test(count)) throw new Error(`no octet count at ${at}: ${JSON.stringify(count.slice(0, 40))}`)
    const end = space + 1 + Number(count)
    if (end > stream.length) break
    messages.push(stream.subarray(space + 1, end))
    at = end
  }
  return { messages, rest: stream.subarray(at) }
}
