import { expect } from 'chai'
import { generateKeys } from '../../core/keys.ts'
import { joinRecovery, splitRecovery } from '../../core/recovery.ts'
import { openK, sealK } from '../../core/seal.ts'
import { seededRandom } from '../support/random.ts'

const random = seededRandom('recovery')
const message = async (work: Promise<unknown>): Promise<string> =>
  work.then(
    () => 'no error',
    e => (e as Error).message,
  )

describe('the officers’ recovery key', () => {
  it('opens a K from any two of three shares, and from no single one', async () => {
    const keys = await generateKeys(random)
    const k = random.bytes(32)
    const sealed = await sealK(keys.sealing, '@p_x:h', k)
    const shares = await splitRecovery(keys.recovery, 2, 3)
    for (const [a, b] of [
      [0, 1],
      [0, 2],
      [2, 1],
    ] as const) {
      const joined = await joinRecovery([shares[a]!, shares[b]!])
      expect(await openK(joined, '@p_x:h', sealed)).to.deep.equal(k)
    }
    expect(await message(joinRecovery([shares[0]!, shares[0]!]))).to.equal('2 different shares are needed')
    const without = JSON.stringify(shares[0])
    expect(without).not.to.include(String(keys.recovery.d))
  })

  it('says that shares of two keys do not belong together', async () => {
    const [one, two] = await Promise.all([generateKeys(random), generateKeys(random)])
    const a = await splitRecovery(one.recovery, 2, 3)
    const b = await splitRecovery(two.recovery, 2, 3)
    expect(await message(joinRecovery([a[0]!, b[1]!]))).to.equal('these shares do not fit together')
    expect(await message(joinRecovery([a[0]!, { ...b[1]!, need: 3 }]))).to.equal('these shares are of different keys')
  })

  it('is never split so that one share would do', async () => {
    const { recovery } = await generateKeys(random)
    expect(await message(splitRecovery(recovery, 1, 3))).to.include('at least two')
  })

  it('opens for the ghost that it was sealed for only, and for neither other key', async () => {
    const keys = await generateKeys(random)
    const sealed = await sealK(keys.sealing, '@p_a:h', random.bytes(32))
    expect(await message(openK(keys.keeper, '@p_b:h', sealed))).to.equal('this key belongs to another ghost')
    const stranger = await generateKeys(random)
    expect(await message(openK(stranger.keeper, '@p_a:h', sealed))).not.to.equal('no error')
  })
})
