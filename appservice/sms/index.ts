import type { JobHandler } from '../../core/queues/outbox-worker.ts'
import type { SmsDeps } from './deps.ts'
import { inboundText, unassignedText } from './inbound.ts'
import type { SmsProvider } from './provider.ts'
import { checkText, eraseText, sendText } from './send.ts'
import { type TwilioOptions, twilioProvider } from './twilio.ts'

export type { SmsDeps } from './deps.ts'
export { pageJobs } from './paging/jobs.ts'
export { twilioPhones } from './paging/provider.ts'
export { pageWebhooks } from './paging/webhooks.ts'
export { smsWebhooks, type WebhookDeps } from './webhooks.ts'

/** Every provider by its name in the configuration. `local` is Twilio's own code against the local server. */
export const smsProviders: Record<'twilio' | 'local', (options: TwilioOptions) => SmsProvider> = {
  twilio: twilioProvider,
  local: twilioProvider,
}

/** Every job of the queue `sms`. */
export const smsJobs = (deps: SmsDeps): Record<string, JobHandler> => ({
  'sms.send': sendText(deps),
  'sms.check': checkText(deps),
  'sms.inbound': inboundText(deps),
  'sms.unassigned': unassignedText(),
  'sms.erase': eraseText(deps),
})
