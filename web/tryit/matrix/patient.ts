import type { MatrixClient, Room } from 'matrix-js-sdk'
import { type Connection, encryptedRoom } from '../../patient/matrix/connect.ts'
import { nextPerson, type Person, personOf } from '../people.ts'
import type { BotChat } from './bot.ts'
import { until } from './until.ts'

/** What the account's data on the homeserver remembers of the page: whom it plays, and where. */
type Kept = { phone: string; code?: string; room?: string }

export type CareRoom = { person: Person; code: string; roomId: string }

const type = 'io.wardroom.try_it'

const kept = (client: MatrixClient): Partial<Kept> => client.getAccountData(type as never)?.getContent<Kept>() ?? {}
const keep = (client: MatrixClient, content: Kept) => client.setAccountDataRaw(type as never, content as never)

/** Whose telephone the page shows, also before the room is there. */
export const chosenPerson = (client: MatrixClient): Person => personOf(kept(client).phone)

/** The room of an earlier visit, when one can still write there. */
export const earlierRoom = (client: MatrixClient): CareRoom | null => {
  const { phone, code, room: roomId } = kept(client)
  const room = roomId ? client.getRoom(roomId) : null
  if (!roomId || !code || room?.getMyMembership() !== 'join' || !room.maySendMessage()) return null
  return { person: personOf(phone), code, roomId }
}

export type Telling = { step: (text: string, command?: string) => void }

/** Enrols the chosen patient by the bot's commands, as any clinician does, and joins the care room that is made. */
export const enrol = async (connection: Connection, bot: BotChat, { step }: Telling): Promise<CareRoom> => {
  const { client } = connection
  const person = chosenPerson(client)
  const add = `!patient add ${person.phone} dob ${person.dob} name "${person.name}"`
  step(`Enrolling ${person.name}`, add)
  const said = await bot.ask(add)
  const code = /\b[2-9A-Z]{3}-[2-9A-Z]{3}\b/.exec(said)?.[0]
  if (!code) throw new Error(`@wardroom answered: ${said}`)
  const consent = `!consent record ${code} care verbal`
  step('Recording that the patient agrees to texts', consent)
  await bot.ask(consent)
  step('Joining the encrypted care room')
  const roomId = await joinCareRoom(client, code)
  await encryptedRoom(connection, roomId, 20_000)
  await keep(client, { phone: person.phone, code, room: roomId })
  return { person, code, roomId }
}

/** Care rooms belong to an owner of their own, `@r_…`, and begin with a card that names the code. */
const joinCareRoom = async (client: MatrixClient, code: string): Promise<string> => {
  const joining = new Set<string>()
  const isCareRoom = (room: Room) => room.getMembers().some(member => member.userId.startsWith('@r_'))
  const look = () => {
    const rooms = client.getRooms().filter(room => isCareRoom(room) && !room.isSpaceRoom())
    for (const { roomId } of rooms.filter(room => room.getMyMembership() === 'invite' && !joining.has(room.roomId))) {
      joining.add(roomId)
      client.joinRoom(roomId).catch(() => joining.delete(roomId))
    }
    return rooms.find(room => room.getMyMembership() === 'join' && hasCard(room, code))?.roomId
  }
  const found = await until(look, 40_000)
  if (!found) throw new Error('the care room did not come')
  return found
}

const hasCard = (room: Room, code: string): boolean =>
  room
    .getLiveTimeline()
    .getEvents()
    .some(event => {
      const { 'io.wardroom.card': card, body } = event.getContent()
      return card === true && typeof body === 'string' && body.includes(code)
    })

/** Ends the enrolment; the next load of the page takes the next patient. */
export const leavePatient = async (client: MatrixClient, bot: BotChat, { person, code }: CareRoom): Promise<void> => {
  await bot.ask(`!patient close ${code}`)
  await keep(client, { phone: nextPerson(person).phone })
}
