import type { MatrixClient, MatrixEvent } from 'matrix-js-sdk'
import type { Staged } from '../../shared/conversation/item.ts'
import { openAttachment, safeType, sealAttachment } from './attachment.ts'
import type { MessageContent } from './timeline.ts'

export type MediaCache = ReturnType<typeof mediaCache>

/** Decrypts files into `blob:` addresses, once each; `forget` takes them all back. Nothing is written to the device. */
export const mediaCache = (client: MatrixClient, bearer: string) => {
  const urls = new Map<string, Promise<string>>()
  const fetchFile = async (event: MatrixEvent): Promise<string> => {
    const { file, info } = event.getContent<MessageContent>()
    if (!file) throw new Error('no encrypted file')
    const [, server, id] = /^mxc:\/\/([^/]+)\/([^/]+)$/.exec(file.url) ?? []
    if (!server || !id) throw new Error('not an mxc address')
    const path = `/_matrix/client/v1/media/download/${encodeURIComponent(server)}/${encodeURIComponent(id)}`
    const answer = await fetch(`${client.baseUrl}${path}`, {
      credentials: 'same-origin',
      headers: { authorization: `Bearer ${bearer}` },
    })
    if (!answer.ok) throw new Error(`media answered ${answer.status}`)
    const plain = await openAttachment(await answer.arrayBuffer(), file)
    return URL.createObjectURL(new Blob([plain], { type: safeType(info?.mimetype ?? '') }))
  }
  return {
    load: (id: string, event: MatrixEvent | undefined): Promise<string> => {
      const known = urls.get(id)
      if (known) return known
      const loading = event ? fetchFile(event) : Promise.reject(new Error('no such message'))
      urls.set(id, loading)
      loading.catch(() => urls.delete(id))
      return loading
    },
    /** What we send ourselves is shown from memory, under its transaction id and later under its event id. */
    keep: (id: string, url: string): void => {
      urls.set(id, Promise.resolve(url))
    },
    /** Encrypts and uploads a picked file; the content of its message. */
    upload: async (staged: Staged): Promise<MessageContent> => {
      const { sealed, file } = await sealAttachment(staged.blob)
      const { content_uri: url } = await client.uploadContent(sealed, {
        type: 'application/octet-stream',
        includeFilename: false,
      })
      const info = { mimetype: staged.blob.type || 'application/octet-stream', size: staged.blob.size }
      const content = { body: staged.name, filename: staged.name, file: { ...file, url } }
      if (staged.kind === 'image')
        return { ...content, msgtype: 'm.image', info: { ...info, w: staged.width, h: staged.height } }
      if (staged.kind === 'file') return { ...content, msgtype: 'm.file', info }
      const duration = Math.round((staged.seconds ?? 0) * 1000)
      return {
        ...content,
        msgtype: 'm.audio',
        info: { ...info, duration },
        'org.matrix.msc3245.voice': {},
        'org.matrix.msc1767.audio': { duration },
      }
    },
    forget: (): void => {
      for (const url of urls.values()) url.then(URL.revokeObjectURL, () => undefined)
      urls.clear()
    },
  }
}
