import { Readable, Transform } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { touchSession } from '../../../core/store/links/sessions.ts'
import { noteUpload, uploadedFor } from '../../../core/store/links/uploads.ts'
import { transact } from '../../../core/store/tx.ts'
import { type Call, loggedOut } from './matrix-call.ts'
import { auditRead, auditWrite } from './matrix-records.ts'
import type { RoomMembers } from './members.ts'

const serverOf = (userId: string): string => userId.slice(userId.indexOf(':') + 1)

const limited = (limit: number): Transform => {
  let size = 0
  return new Transform({
    transform(chunk: Buffer, _encoding, done) {
      size += chunk.length
      done(size > limit ? new Error('the upload is larger than it said') : null, chunk)
    },
  })
}

/**
 * Streams an encrypted file to the media store; name and type stay behind, they could tell something. The media id is noted as this patient's, so that no
 * other patient's session fetches it.
 */
export const upload = async (call: Call, limit: number): Promise<void> => {
  const { deps, session, matched, req, res, signal } = call
  const length = Number(req.headers['content-length'])
  if (!Number.isInteger(length) || length <= 0)
    return void res.status(411).json({ errcode: 'M_MISSING_PARAM', error: 'The length of the file is missing' })
  if (length > limit) return void res.status(413).json({ errcode: 'M_TOO_LARGE', error: 'The file is too large' })
  await touchSession(deps.store.db, session, deps.store.clock.now())
  await auditWrite(call, 'upload')
  const body = limited(length)
  const feeding = pipeline(req, body, { signal })
  feeding.catch(() => body.destroy())
  const answer = await deps.homeserver.fetchAs({ userId: session.userId })(deps.homeserver.url + matched.path, {
    method: 'POST',
    headers: { 'content-type': 'application/octet-stream', 'content-length': String(length) },
    body: Readable.toWeb(body) as unknown as ReadableStream,
    signal: AbortSignal.any([signal, AbortSignal.timeout(300_000)]),
    duplex: 'half',
  } as RequestInit)
  const json = (await answer.json()) as { content_uri?: string }
  if (answer.status === 401) return loggedOut(res, 'over')
  const media = json.content_uri?.startsWith('mxc://') ? json.content_uri.slice(6) : undefined
  if (answer.ok && media) await transact(deps.store, tx => noteUpload(tx, session, media, length))
  res.status(answer.status).json(json)
}

/**
 * Streams one file to the page. Which files a room's messages name is inside their encryption, so the rule is: from the server of a member, and not
 * another patient's upload. The id itself (128 random bits and more) is known only from a decrypted message.
 */
export const download = async (call: Call, members: RoomMembers): Promise<void> => {
  const { deps, session, matched, res, signal } = call
  const { server = '', media = '' } = matched.params
  const notFound = () => void res.status(404).json({ errcode: 'M_NOT_FOUND', error: 'Not found' })
  const people = await members(session.userId, session.roomId, [])
  if (![...people].some(user => serverOf(user) === server)) return notFound()
  const owner = await uploadedFor(deps.store.db, `${server}/${media}`)
  if (owner !== undefined && owner !== session.patientId) return notFound()
  await auditRead(call, 'media')
  const url = `${deps.homeserver.url}${matched.path}?timeout_ms=20000`
  const answer = await deps.homeserver.fetchAs({ userId: session.userId })(url, {
    signal: AbortSignal.any([signal, AbortSignal.timeout(300_000)]),
  })
  if (answer.status === 401) return loggedOut(res, 'over')
  if (!answer.ok || !answer.body) {
    await answer.body?.cancel()
    return notFound()
  }
  const length = answer.headers.get('content-length')
  res.status(200).set({
    'content-type': 'application/octet-stream',
    'content-disposition': 'attachment',
    ...(length && !answer.headers.get('content-encoding') ? { 'content-length': length } : {}),
  })
  await pipeline(Readable.fromWeb(answer.body as Parameters<typeof Readable.fromWeb>[0]), res)
}
