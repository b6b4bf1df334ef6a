import { randomBytes } from 'node:crypto'
import { eventually } from '../../test/support/eventually.ts'
import type { Bench } from '../bench.ts'
import { figure, quantile } from '../figure.ts'
import { paced } from '../paced.ts'
import { scaled } from '../scale.ts'
import { type Ward, type WardPatient, ward } from '../ward.ts'

const rooms = scaled(60)
const perSecond = 5
const seconds = scaled(60, 4)

type Text = { body: string; createdAt: number }

const textsOf = async ({ world }: Ward, { phone }: WardPatient): Promise<Text[]> =>
  (await world.texts(phone)) as (Text & { status: string })[]

/** The patient taps the link of this text, so that the next message makes another one. */
const tap = async ({ world }: Ward, text: Text): Promise<void> => {
  const { publicUrl } = world.wardroom.config
  const token = /\/l\/(\w+)/.exec(text.body)?.[1]
  const answer = await fetch(`${publicUrl}/api/link/tap`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', origin: publicUrl, 'sec-fetch-site': 'same-origin' },
    body: JSON.stringify({ token }),
  })
  if (((await answer.json()) as { state: string }).state !== 'factors')
    throw new Error(`a tap was answered ${answer.status}`)
}

/** A message, its text, the tap: how long from the call until the provider has the text, and until the homeserver has the message. */
const message = async (w: Ward, patient: WardPatient): Promise<{ accepted: number; sent: number }> => {
  const known = (await textsOf(w, patient)).length
  const from = Date.now()
  await w.lee.send(patient.room, 'How is the wound today? Please send a picture if it looks worse.')
  const sent = Date.now() - from
  const text = await eventually(async () => (await textsOf(w, patient))[known], {
    timeout: 60_000,
    interval: 100,
    what: 'the text',
  })
  await tap(w, text)
  return { accepted: text.createdAt - from, sent }
}

/** The homeserver alone: finished ciphertext as large as the message's, put at the same pace into a room that is nobody's care room. */
const barePut = async ({ lee, world }: Ward, room: string): Promise<number> => {
  const from = Date.now()
  const path = `/_matrix/client/v3/rooms/${encodeURIComponent(room)}/send/m.room.encrypted/${randomBytes(8).toString('hex')}`
  const answer = await fetch(world.wardroom.config.homeserver.url + path, {
    method: 'PUT',
    headers: { authorization: `Bearer ${lee.accessToken}`, 'content-type': 'application/json' },
    body: JSON.stringify({
      algorithm: 'm.megolm.v1.aes-sha2',
      ciphertext: 'A'.repeat(380),
      session_id: 'B'.repeat(43),
    }),
  })
  await answer.body?.cancel()
  if (!answer.ok) throw new Error(`a bare send was answered ${answer.status}`)
  return Date.now() - from
}

/** From a clinician's send to the text at the provider, in real processes, beside the homeserver's own send. */
export const smsAccepted: Bench = {
  area: 'bridge',
  figures: ['sms_accepted_p99'],
  run: async say => {
    const w = await ward(say)
    const patients = await w.patients(rooms)
    say(`sms: a first message in each of ${rooms} rooms shares its key`)
    /** In one room one after the other: a message that overtook the tap on the last text would ride on that text. */
    const rounds = patients.map(() => Promise.resolve<unknown>(undefined))
    let late = 0
    const inTurn = async (n: number) => {
      const room = n % rooms
      let waits = true
      const before = (rounds[room] as Promise<unknown>).then(() => {
        waits = false
      })
      await Promise.race([before, new Promise(setImmediate)])
      if (waits) late++
      const one = before.then(() => message(w, patients[room] as WardPatient))
      rounds[room] = one.catch(() => undefined)
      return one
    }
    await paced(rooms, perSecond, inTurn)
    late = 0
    const alone = await w.lee.createRoom()
    const bare = await paced(perSecond * Math.max(4, seconds / 4), perSecond, () => barePut(w, alone))
    say(`sms: ${perSecond} messages a second for ${seconds} s`)
    const all = await paced(perSecond * seconds, perSecond, inTurn)
    const accepted = all.map(m => m.accepted)
    const sent = all.map(m => m.sent)
    return [
      figure({
        name: 'bridge.sms_accepted_p99',
        value: quantile(accepted, 0.99),
        unit: 'ms',
        baseline: quantile(bare, 0.99),
        goal: { aboveBaselineAtMost: 1000 },
        note: `${all.length} messages in ${rooms} rooms, ${perSecond}/s, ${late} held back for the last text's tap; median ${quantile(accepted, 0.5)} ms; of it the send itself: median ${quantile(sent, 0.5)} ms, p99 ${quantile(sent, 0.99)} ms`,
      }),
    ]
  },
}
