import type { DeviceId, UserId } from '../../core/domain/ids.ts'
import { errorFacts } from '../../core/error-facts.ts'
import { createHomeserver } from '../../core/matrix/homeserver.ts'
import { renewDehydratedDevice } from '../../core/matrix/renew-dehydrated.ts'
import { secret } from '../../core/secret.ts'
import { type RenewalAnswer, renewalTask } from './task.ts'

// A process for one renewal: it has K for some twenty seconds, no other secret, no disk to write to, and no way to the homeserver but the bridge's door,
// which shows it no room. What it held is gone with it.

const readTask = async () => {
  const parts: Buffer[] = []
  for await (const part of process.stdin) parts.push(part as Buffer)
  return renewalTask.parse(JSON.parse(Buffer.concat(parts).toString('utf8')))
}

const renew = async (): Promise<void> => {
  const { door, bearer, ghost, deviceId, k: wrapped, settleMs } = await readTask()
  const state = `${door}/state`
  const headers = { authorization: `Bearer ${bearer}` }
  const answered = (res: Response, ...good: number[]) => {
    if (!good.includes(res.status)) throw new Error(`the bridge answered ${res.status}`)
    return res
  }
  const before = answered(await fetch(state, { headers }), 200, 404)
  const k = new Uint8Array(Buffer.from(wrapped, 'base64'))
  try {
    await renewDehydratedDevice({
      homeserver: createHomeserver({ url: door, asToken: secret(bearer) }),
      userId: ghost as UserId,
      deviceId: deviceId as DeviceId,
      k,
      settleMs,
      saved: before.status === 200 ? new Uint8Array(await before.arrayBuffer()) : null,
      save: async sealed => {
        const body = Buffer.from(sealed)
        const type = { 'content-type': 'application/octet-stream' }
        answered(await fetch(state, { method: 'PUT', headers: { ...headers, ...type }, body }), 200)
      },
    })
  } finally {
    k.fill(0)
  }
}

const end = (answer: RenewalAnswer) => process.send?.(answer, () => process.exit('done' in answer ? 0 : 1))

// Without the keeper nobody waits for the result, and the next attempt begins with the same device.
process.on('disconnect', () => process.exit(1))
renew().then(
  () => end({ done: true }),
  error => end({ failed: errorFacts(error) }),
)
