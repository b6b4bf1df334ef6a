import {
  EventType,
  type MatrixEvent,
  MsgType,
  Preset,
  RelationType,
  type Room,
  RoomCreateTypeField,
} from 'matrix-js-sdk'
import { type Connection, encryptedRoom } from '../../patient/matrix/connect.ts'
import { until } from './until.ts'

/** The encrypted chat with the bot that obeys commands. */
export type BotChat = {
  /** Sends a command and gives the words of the answer in its thread. @throws when none comes within 20 s. */
  ask: (command: string) => Promise<string>
}

const isMember = (room: Room, user: string) => /^(join|invite)$/.test(room.getMember(user)?.membership ?? '')

/** A chat of two with the bot: not a desk room, which its create event names, and not a Space. */
const isChat = (room: Room, bot: string): boolean => {
  const create = room.currentState.getStateEvents(EventType.RoomCreate, '')?.getContent() ?? {}
  if (create['org.wardroom.desk'] !== undefined || create[RoomCreateTypeField] !== undefined) return false
  if (room.getMyMembership() === 'invite') return room.getDMInviter() === bot
  return room.getMyMembership() === 'join' && isMember(room, bot) && room.getInvitedAndJoinedMemberCount() === 2
}

/** The chat to which the bot invites everybody who has a role; opens one where that was left. */
export const botChat = async (connection: Connection, bot: string): Promise<BotChat> => {
  const { client } = connection
  const find = () => client.getRooms().find(room => isChat(room, bot))
  const known = await until(find, 15_000)
  const fresh = known?.getMyMembership() !== 'join'
  const roomId = known?.roomId ?? (await openChat(connection, bot))
  if (known && fresh) await client.joinRoom(roomId)
  await encryptedRoom(connection, roomId, 20_000)
  const words = () => client.getRoom(roomId)?.getLiveTimeline().getEvents() ?? []
  // It greets when it sees that our device is signed: from then on it obeys.
  if (fresh) await until(() => words().find(e => e.getSender() === bot && e.getType() === 'm.room.message'), 20_000)
  return {
    ask: async command => {
      const asked = await client.sendMessage(roomId, { msgtype: MsgType.Text, body: command })
      const isAnswer = (event: MatrixEvent) => {
        // Its reactions relate to the command as well.
        const { rel_type: relation, event_id: about } = event.getWireContent()['m.relates_to'] ?? {}
        return event.getSender() === bot && relation === RelationType.Thread && about === asked.event_id
      }
      const answer = await until(() => {
        const event = words().find(isAnswer)
        const { body } = event?.getContent() ?? {}
        return typeof body === 'string' && event?.getType() === EventType.RoomMessage ? body : undefined
      }, 20_000)
      if (answer === undefined) throw new Error(`@wardroom gave no answer to ${command.split(' ', 2).join(' ')}`)
      return answer
    },
  }
}

const openChat = async ({ client }: Connection, bot: string): Promise<string> => {
  const { room_id: roomId } = await client.createRoom({
    preset: Preset.PrivateChat,
    is_direct: true,
    invite: [bot],
    initial_state: [{ type: EventType.RoomEncryption, content: { algorithm: 'm.megolm.v1.aes-sha2' } }],
  })
  await until(() => client.getRoom(roomId)?.getMember(bot)?.membership === 'join' || undefined, 20_000)
  return roomId
}
