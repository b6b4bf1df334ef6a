import { expect } from 'chai'
import fc from 'fast-check'
import { minutes } from '../../core/domain/clock.ts'
import { idleAt, longestIdleMs, mayHaveKey, reauthAt, type SessionTimes, standing } from '../../core/domain/session.ts'
import { seed } from '../support/random.ts'

const session = (over: Partial<SessionTimes> = {}): SessionTimes => ({
  seenAt: 0,
  verifiedAt: 0,
  idleMs: minutes(15),
  reauthMs: minutes(60),
  endedAt: null,
  ...over,
})

describe('session times (row 16)', () => {
  it('end an untouched session after fifteen minutes', () => {
    expect(standing(session(), minutes(15) - 1)).to.equal('live')
    expect(standing(session(), minutes(15))).to.equal('idle')
  })

  it('ask again after sixty minutes of a session that is in use', () => {
    const used = session({ seenAt: minutes(59) })
    expect(standing(used, minutes(60) - 1)).to.equal('live')
    expect(standing(used, minutes(60))).to.equal('reauth')
    expect(standing({ ...used, verifiedAt: minutes(60) }, minutes(60))).to.equal('live')
  })

  it('never call a session live that is over by any of its times', () => {
    const at = fc.integer({ min: 0, max: minutes(200) })
    fc.assert(
      fc.property(at, at, at, fc.option(at), (seenAt, verifiedAt, now, endedAt) => {
        const s = session({ seenAt, verifiedAt, endedAt })
        const live = endedAt === null && now < idleAt(s) && now < reauthAt(s)
        expect(standing(s, now) === 'live').to.equal(live)
        if (mayHaveKey(s, now)) expect(live).to.equal(true)
      }),
      { seed },
    )
  })

  it('release no key to a session whose row grants itself more time than any clinic may', () => {
    expect(mayHaveKey(session({ idleMs: minutes(9999), reauthMs: minutes(99_999) }), longestIdleMs)).to.equal(false)
  })
})
