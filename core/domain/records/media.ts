const isObject = (v: unknown): v is Record<string, unknown> => typeof v === 'object' && v !== null

const mxc = /^mxc:\/\/([a-z0-9.:[\]-]{1,230}\/[\w-]{1,255})$/i

/** A message can name a file and its preview; an edit names them twice. More than this is none of ours. */
const most = 50

/**
 * The files that a decrypted message carries, as `server/id`: every encrypted attachment in it (client-server API, "EncryptedFile"), previews and edits included.
 * An address without a key of its own (a sticker of a pack, an avatar) belongs to nobody's message and is left out.
 */
export const mediaIn = (content: unknown): string[] => {
  const found = new Set<string>()
  const queue: unknown[] = [content]
  for (let looked = 0; queue.length > 0 && looked < 2000 && found.size < most; looked++) {
    const one = queue.shift()
    if (Array.isArray(one)) queue.push(...one.slice(0, 100))
    else if (isObject(one)) {
      const [, file] = (typeof one.url === 'string' && mxc.exec(one.url)) || []
      if (file && isObject(one.key) && typeof one.iv === 'string') found.add(file)
      else queue.push(...Object.values(one))
    }
  }
  return [...found]
}
