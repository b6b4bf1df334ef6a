const entities: Record<string, string> = { amp: '&', lt: '<', gt: '>', quot: '"', '#39': "'", nbsp: ' ' }
const mention = /<a\s[^>]*href=["']https:\/\/matrix\.to\/#\/(@[^"'?]+)[^"']*["'][^>]*>.*?<\/a>/gis

/**
 * The words of an `m.text` message. Where somebody was mentioned, clients put only a display name into `body`; then the words are taken from the HTML with the
 * user id in the mention's place. Undefined for edits, notices and everything that is no text, so that nothing is obeyed twice.
 */
export const messageText = (type: string, content: Readonly<Record<string, unknown>>): string | undefined => {
  if (type !== 'm.room.message' || content.msgtype !== 'm.text' || typeof content.body !== 'string') return undefined
  const relation = content['m.relates_to'] as { rel_type?: unknown } | undefined
  if (relation?.rel_type === 'm.replace') return undefined
  const html = typeof content.formatted_body === 'string' ? content.formatted_body.slice(0, 20_000) : ''
  if (!html.includes('https://matrix.to/#/@') && !html.includes('https://matrix.to/#/%40')) return content.body
  return html
    .replaceAll('https://matrix.to/#/%40', 'https://matrix.to/#/@')
    .replace(/<mx-reply>.*?<\/mx-reply>/gis, '')
    .replace(mention, (_, id: string) => decode(id))
    .replace(/<[^>]*>/g, '')
    .replace(/&(amp|lt|gt|quot|#39|nbsp);/g, (_, name: string) => entities[name] ?? '')
}

const decode = (id: string): string => {
  try {
    return decodeURIComponent(id)
  } catch {
    return id
  }
}

/** The root of the thread that a message stands in, or undefined. */
export const threadOf = (content: Readonly<Record<string, unknown>>): string | undefined => {
  const relation = content['m.relates_to'] as { rel_type?: unknown; event_id?: unknown } | undefined
  return relation?.rel_type === 'm.thread' && typeof relation.event_id === 'string' ? relation.event_id : undefined
}
