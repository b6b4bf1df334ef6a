import type { Conversation, OpenDeps } from '../port.ts'
import { type Connection, flushBackup } from './connect.ts'
import { draftKeeper } from './draft.ts'
import type { DraftSeal } from './draft-seal.ts'
import { liveRoom } from './live.ts'

/** The patient's conversation: the live room, the sealed draft, and what the bridge is told of it. */
export const patientConversation = async (
  connection: Connection,
  seal: DraftSeal,
  { session, api, onTalk, onDraft }: OpenDeps,
): Promise<Conversation> => {
  const draft = draftKeeper(connection.client, seal)
  const { first, settled, ...live } = await liveRoom(connection, {
    me: session.userId,
    roomId: session.roomId,
    bearer: session.csrf,
    hidden: ['io.wardroom.card'],
    reactions: false,
    onTalk,
    onUnreadable: id => api.undecryptable(session, id),
  })
  const saved = await draft.load().catch(() => '')
  if (saved !== '') onDraft(saved)
  if (first.some(item => item.mark === 'received' && item.content.kind !== 'opening'))
    api.step(session, 'decrypted').catch(() => undefined)
  const drop = () => {
    draft.stop()
    live.drop()
  }
  return {
    ...live,
    saveDraft: draft.save,
    close: async text => {
      await settled(5_000)
      await draft.flush(text).catch(() => console.error('the draft was not saved'))
      await flushBackup(connection, 4_000).catch(() => console.error('the key backup was not flushed'))
      drop()
    },
    drop,
  }
}
