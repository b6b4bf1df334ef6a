import { expect } from 'chai'
import {
  areEncrypted,
  filterId,
  forMembers,
  isDraft,
  isEncrypted,
  ownBackup,
  ownSignatures,
  syncFilter,
  syncForRoom,
} from '../../../appservice/http/proxy/matrix-bodies.ts'

const room = '!a:x'

describe('proxy bodies', () => {
  it('ask for keys of members only', () => {
    const asked = { device_keys: { '@ann:x': [], '@stranger:x': [] }, timeout: 99_999, token: 'x' }
    expect(forMembers(asked, 'device_keys', new Set(['@ann:x']))).to.deep.equal({
      timeout: 10_000,
      device_keys: { '@ann:x': [] },
    })
  })

  it('sign and back up for the own ghost and room only', () => {
    expect(ownSignatures({ '@me:x': { D: {} }, '@you:x': { D: {} } }, '@me:x')).to.deep.equal({ '@me:x': { D: {} } })
    expect(ownBackup({ rooms: { [room]: { sessions: {} }, '!b:x': {} }, other: 1 }, room)).to.deep.equal({
      rooms: { [room]: { sessions: {} } },
    })
  })

  it('send nothing readable', () => {
    const event = { algorithm: 'm.megolm.v1.aes-sha2', ciphertext: 'AwgA', session_id: 's', device_id: 'D' }
    expect(isEncrypted({ ...event, 'm.relates_to': { 'm.in_reply_to': { event_id: '$x' } } })).to.equal(true)
    expect(isEncrypted({ ...event, body: 'my rash' })).to.equal(false)
    expect(isEncrypted({ msgtype: 'm.text', body: 'my rash' })).to.equal(false)
    expect(areEncrypted({ messages: { '@a:x': { D: { algorithm: 'm.olm.v1.curve25519-aes-sha2' } } } })).to.equal(true)
    expect(areEncrypted({ messages: { '@a:x': { D: { body: 'my rash' } } } })).to.equal(false)
    expect(isDraft({ iv: 'a', ciphertext: 'b', v: 1 })).to.equal(true)
    expect(isDraft({ nested: { body: 'my rash' } })).to.equal(false)
  })

  it('let the page choose only how many events a sync brings', () => {
    const id = filterId({ room: { timeline: { limit: 12 }, rooms: ['!b:x'] } })
    const filter = JSON.parse(syncFilter(room, id))
    expect(filter.room.rooms).to.deep.equal([room])
    expect(filter.room.timeline.limit).to.equal(12)
    expect(JSON.parse(syncFilter(room, '{"room":{"timeline":{"limit":1000000}}}')).room.timeline.limit).to.equal(100)
    expect(JSON.parse(syncFilter(room, 'junk')).room.timeline.limit).to.equal(30)
  })

  it('show of a sync only the room, messages to the device, and the account data that decryption needs', () => {
    const shown = syncForRoom(
      {
        next_batch: 's2',
        presence: { events: [{}] },
        groups: {},
        to_device: { events: [] },
        account_data: { events: [{ type: 'm.direct' }, { type: 'm.megolm_backup.v1' }, { type: 'io.wardroom.draft' }] },
        rooms: {
          join: { [room]: { timeline: { events: [] }, account_data: { events: [{}] } }, '!b:x': {} },
          invite: { '!c:x': {} },
          knock: { '!d:x': {} },
        },
      },
      room,
    )
    expect(shown).to.deep.equal({
      next_batch: 's2',
      to_device: { events: [] },
      account_data: { events: [{ type: 'm.megolm_backup.v1' }, { type: 'io.wardroom.draft' }] },
      rooms: {
        join: { [room]: { timeline: { events: [] }, account_data: { events: [] } } },
        leave: {},
        invite: {},
        knock: {},
      },
    })
  })
})
