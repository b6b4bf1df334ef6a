import { z } from 'zod'
import type { ErrorFacts } from '../../core/error-facts.ts'

/** What the keeper writes to the standard input of the process that replaces one dehydrated device. `k` is base64. */
export const renewalTask = z.strictObject({
  door: z.url(),
  bearer: z.string().min(1),
  ghost: z.string().min(1),
  deviceId: z.string().min(1),
  k: z.string().length(44),
  settleMs: z.int().min(0).max(60_000),
})
export type RenewalTask = z.infer<typeof renewalTask>

/** What it answers over the channel to its parent: what of an error may be logged. */
export type RenewalAnswer = { done: true } | { failed: ErrorFacts }
