/** One line of `messages.jsonl`: an event as it is stored, and what it says. Times are ISO 8601 in UTC. */
export type ExportLine = {
  event_id: string
  room_id: string
  sent_at: string
  sender: string
  what: 'message' | 'edit' | 'reaction' | 'removal' | 'state' | 'other'
  /** The decrypted type. */
  type: string
  /** What it says; null when it could not be read, or is not shown. */
  content: Record<string, unknown> | null
  encrypted: boolean
  /** The event that this one edits, reacts to or removes. */
  about?: string
  replies_to?: string
  thread?: string
  removed?: { by: string; at: string; event: string; reason: string | null }
  /** Where the content is from: the homeserver, or the sealed copy that a hold or a statutory minimum kept. `gone`: nowhere. */
  source: 'homeserver' | 'sealed-copy' | 'gone'
  /** Why it could not be read, as a code. */
  unreadable?: string
  media?: ExportMedia
  /** It reached this server too late to be shown to anybody. */
  unseen?: true
  /** The event itself (a PDU of the federation), encrypted as it was sent; null where it may not be handed over. */
  stored: Record<string, unknown> | null
}

export type ExportMedia =
  | { path: string; name: string; type: string; bytes: number; sha256: string }
  | { missing: string; name: string; type: string }

export type FileOfMessage = {
  mxc: string
  name: string
  type: string
  key?: { k: string; iv: string; sha256: string }
}

type Json = Record<string, unknown>
const object = (v: unknown): Json => (typeof v === 'object' && v !== null && !Array.isArray(v) ? (v as Json) : {})
const text = (v: unknown): string | undefined => (typeof v === 'string' && v !== '' ? v : undefined)

/** What an event is to a reader, and which event it is about. `clear`: its decrypted type and content; the relation may stand outside the ciphertext. */
export const kindOf = (
  event: { type: string; content: Json; state_key?: string; redacts?: unknown },
  clear: { type: string; content: Json } | null,
): Pick<ExportLine, 'what' | 'about' | 'replies_to' | 'thread'> => {
  if (event.state_key !== undefined) return { what: 'state' }
  if (event.type === 'm.room.redaction')
    return { what: 'removal', about: text(event.content.redacts) ?? text(event.redacts) }
  const relation = object(object(clear?.content)['m.relates_to'] ?? event.content['m.relates_to'])
  const about = text(relation.event_id)
  const type = clear?.type ?? event.type
  if (type === 'm.reaction') return { what: 'reaction', about }
  if (relation.rel_type === 'm.replace') return { what: 'edit', about }
  const message = type === 'm.room.message' || type === 'm.room.encrypted' || type === 'm.sticker'
  const replies = text(object(relation['m.in_reply_to']).event_id)
  return {
    what: message ? 'message' : 'other',
    ...(replies ? { replies_to: replies } : {}),
    ...(relation.rel_type === 'm.thread' && about ? { thread: about } : {}),
  }
}

/** The file that a message carries, encrypted (client-server API, "Sending encrypted attachments", v2) or not; undefined for words. */
export const fileOf = (content: Json | null): FileOfMessage | undefined => {
  const shown = object(content?.['m.new_content'] ?? content)
  const file = object(shown.file)
  const mxc = text(file.url) ?? text(shown.url)
  if (!mxc) return undefined
  const named = {
    mxc,
    name: text(shown.filename) ?? text(shown.body) ?? 'file',
    type: text(object(shown.info).mimetype) ?? '',
  }
  const [k, iv, sha256] = [text(object(file.key).k), text(file.iv), text(object(file.hashes).sha256)]
  return text(file.url) && k && iv && sha256 ? { ...named, key: { k, iv, sha256 } } : named
}

const endings: Record<string, string> = {
  'image/jpeg': 'jpg',
  'image/png': 'png',
  'image/gif': 'gif',
  'image/webp': 'webp',
  'audio/ogg': 'ogg',
  'audio/mpeg': 'mp3',
  'audio/mp4': 'm4a',
  'audio/webm': 'weba',
  'video/mp4': 'mp4',
  'video/webm': 'webm',
  'application/pdf': 'pdf',
  'text/plain': 'txt',
}

/** Where the n-th file lies: a name of ours, never the sender's, and an ending that no program runs. */
export const mediaPath = (n: number, type: string): string => {
  const ending = Object.hasOwn(endings, type.toLowerCase()) ? endings[type.toLowerCase()] : 'bin'
  return `media/${String(n).padStart(6, '0')}.${ending}`
}

/** Is it a picture that a page may show? */
export const isPicture = (path: string): boolean => /\.(jpg|png|gif|webp)$/.test(path)
