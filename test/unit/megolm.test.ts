import {
  DeviceId,
  DeviceLists,
  EncryptionSettings,
  initAsync,
  OlmMachine,
  RoomId,
  UserId,
} from '@matrix-org/matrix-sdk-crypto-wasm'
import { expect } from 'chai'
import { backupKeyFrom, newBackupKey } from '../../core/matrix/escrow/backup-key.ts'
import { advance, megolmIndex, ratchetFrom, readMegolm, readWith } from '../../core/matrix/megolm.ts'

const room = '!ward:clinic.example'

/** A session of the SDK's own with `count` messages, and its key as an export has it. */
const session = async (count: number) => {
  await initAsync()
  const machine = await OlmMachine.initialize(new UserId('@lee:clinic.example'), new DeviceId('LEE'))
  await machine.receiveSyncChanges('[]', new DeviceLists(), new Map())
  const settings = new EncryptionSettings()
  settings.rotationPeriodMessages = 100_000n
  await machine.shareRoomKey(new RoomId(room), [], settings)
  const messages: string[] = []
  for (let i = 0; i < count; i++) {
    const content = JSON.stringify({ msgtype: 'm.text', body: `message ${i}` })
    const wire = JSON.parse(await machine.encryptRoomEvent(new RoomId(room), 'm.room.message', content))
    messages.push(wire.ciphertext)
  }
  const [key] = JSON.parse(await machine.exportRoomKeys(() => true)) as { session_key: string }[]
  machine.close()
  return { messages, key: key?.session_key ?? '' }
}

/** DESIGN §10: the records bot reads which files a message carries, with a key that only goes forward. */
describe('a Megolm ratchet', () => {
  it('reads what the SDK encrypted, across a full round of its lowest part', async () => {
    const { messages, key } = await session(300)
    for (const n of [0, 1, 255, 256, 257, 299]) {
      expect(megolmIndex(messages[n]!)).to.equal(n)
      expect(readMegolm(key, messages[n]!)).to.deep.include({ room_id: room, type: 'm.room.message' })
      expect((readMegolm(key, messages[n]!).content as { body: string }).body).to.equal(`message ${n}`)
    }
  })

  it('is the same whether it goes in steps or at once, over every part’s round', () => {
    const start = { n: 0, parts: Buffer.alloc(128, 7) }
    for (const to of [5, 256, 65_535, 65_536, 65_537, 16_777_216 + 70_000])
      for (const by of [3, 255, 65_535])
        expect(advance(advance(start, Math.min(by, to)), to).parts, `${by} then ${to}`).to.deep.equal(
          advance(start, to).parts,
        )
  })

  it('opens nothing that it has passed, nothing that was changed, and nothing of another session', async () => {
    const { messages, key } = await session(3)
    const passed = advance(ratchetFrom(key), 2)
    expect((readWith(passed, messages[2]!).content as { body: string }).body).to.equal('message 2')
    expect(() => readWith(passed, messages[1]!)).to.throw('does not turn back')
    const changed = Buffer.from(messages[0]!, 'base64')
    changed[20] = (changed[20] ?? 0) ^ 1
    expect(() => readMegolm(key, changed.toString('base64'))).to.throw('does not fit this key')
    const other = await session(1)
    expect(() => readMegolm(key, other.messages[0]!)).to.throw('does not fit this key')
  })

  it('refuses what is no message and no key', () => {
    for (const text of ['', 'AAAA', Buffer.from([3, 8, 255, 255, 255, 255, 255, 255]).toString('base64'), '💥'])
      expect(() => megolmIndex(text), text).to.throw('not a Megolm message')
    expect(() => ratchetFrom('AAAA')).to.throw('not an exported room key')
  })
})

describe('a backup key', () => {
  it('is the same after being sealed and opened', async () => {
    const key = await newBackupKey()
    const again = await backupKeyFrom(key.privateKey())
    expect(again.publicKey).to.equal(key.publicKey)
  })
})
