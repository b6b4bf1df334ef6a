import type { Log } from '../../../core/log.ts'
import type { Secret } from '../../../core/secret.ts'
import { type Behaviour, deliveryFaults } from './behaviours.ts'
import { signedPost, waiter } from './signed-post.ts'
import type { LocalMessage, LocalState, LocalStatus } from './state.ts'

export type CarrierOptions = {
  state: LocalState
  accountSid: string
  messagingServiceSid: string
  authToken: Secret
  /** Where incoming texts are reported, e.g. `http://localhost:8080/sms/inbound`. */
  inboundUrl: string
  /** Between one status and the next. */
  stepMs: number
  /** As an account whose provider answers STOP, START and HELP itself (`default`), or leaves that to us (`off`). */
  optOut: 'off' | 'default'
  sender: string
  log: Log
}

export type Carrier = {
  /** Starts an accepted text on its way. */
  carry(m: LocalMessage, behaviour: Behaviour): void
  /** Somebody texts us. */
  receive(text: { from: string; body: string; media?: number }): LocalMessage
  /** Resolves when nothing is on its way; stops what is. */
  stop(): Promise<void>
}

const providerWords: Record<string, 'STOP' | 'START' | 'HELP'> = {
  STOP: 'STOP',
  STOPALL: 'STOP',
  UNSUBSCRIBE: 'STOP',
  CANCEL: 'STOP',
  END: 'STOP',
  QUIT: 'STOP',
  OPTOUT: 'STOP',
  REVOKE: 'STOP',
  START: 'START',
  UNSTOP: 'START',
  YES: 'START',
  HELP: 'HELP',
  INFO: 'HELP',
}
const providerReplies = {
  STOP: 'You have successfully been unsubscribed. You will not receive any more messages from this number. Reply START to resubscribe.',
  START:
    'You have successfully been re-subscribed to messages from this number. Reply HELP for help. Reply STOP to unsubscribe.',
  HELP: 'Reply STOP to unsubscribe. Msg&Data Rates May Apply.',
}

/** The telephone network: moves texts through their statuses and posts signed reports, trying again for a while when nobody listens. */
export const startCarrier = (o: CarrierOptions): Carrier => {
  const { state, log } = o
  const stopping = new AbortController()
  const tasks = new Set<Promise<unknown>>()
  const wait = waiter(stopping.signal)
  const run = (work: () => Promise<void>) => {
    const task: Promise<unknown> = work()
      .catch(err => log.error({ code: (err as Error).name }, 'the local SMS network broke down'))
      .finally(() => tasks.delete(task))
    tasks.add(task)
  }

  const signed = signedPost({ authToken: o.authToken, log, stopping: stopping.signal, wait })
  const post = async (url: string, form: Record<string, string>): Promise<void> => {
    await signed(url, form)
  }

  const report = (m: LocalMessage, status: LocalStatus, errorCode: number | null = null): Promise<void> =>
    m.callback
      ? post(m.callback, {
          AccountSid: o.accountSid,
          ApiVersion: '2010-04-01',
          MessagingServiceSid: o.messagingServiceSid,
          MessageSid: m.sid,
          SmsSid: m.sid,
          MessageStatus: status,
          SmsStatus: status,
          To: m.to,
          From: m.from,
          ...(errorCode ? { ErrorCode: String(errorCode) } : {}),
        })
      : Promise.resolve()

  const travel = async (m: LocalMessage, behaviour: Behaviour) => {
    if (behaviour === 'no_report') return
    await wait(o.stepMs)
    if (stopping.signal.aborted) return
    state.update(m.sid, { status: 'sent' })
    if (behaviour !== 'out_of_order') await report(m, 'sent')
    await wait(o.stepMs)
    if (stopping.signal.aborted) return
    const fault = deliveryFaults[behaviour] ?? null
    const last: LocalStatus = fault ? 'undelivered' : 'delivered'
    state.update(m.sid, { status: last, errorCode: fault })
    await report(m, last, fault)
    if (behaviour === 'out_of_order') for (const late of ['queued', 'sent', last] as const) await report(m, late, fault)
  }

  const receive: Carrier['receive'] = ({ from, body, media = 0 }) => {
    const m = state.add({
      direction: 'inbound',
      from,
      to: o.sender,
      body,
      status: 'received',
      errorCode: null,
      callback: null,
    })
    const word = o.optOut === 'default' ? providerWords[body.trim().toUpperCase()] : undefined
    if (word === 'STOP') state.optedOut.add(from)
    if (word === 'START') state.optedOut.delete(from)
    run(() =>
      post(o.inboundUrl, {
        AccountSid: o.accountSid,
        ApiVersion: '2010-04-01',
        MessagingServiceSid: o.messagingServiceSid,
        MessageSid: m.sid,
        SmsMessageSid: m.sid,
        SmsSid: m.sid,
        SmsStatus: 'received',
        From: from,
        To: o.sender,
        Body: body,
        NumMedia: String(media),
        NumSegments: '1',
        ...(word ? { OptOutType: word } : {}),
      }),
    )
    if (word) {
      const reply = { direction: 'outbound-reply', from: o.sender, to: from, body: providerReplies[word] } as const
      state.add({ ...reply, status: 'delivered', errorCode: null, callback: null })
    }
    return m
  }

  for (const m of state.messages())
    if (m.direction === 'outbound-api' && (m.status === 'queued' || m.status === 'sent'))
      run(() => travel(m, state.behaviourOf(m.to)))

  return {
    carry: (m, behaviour) => run(() => travel(m, behaviour)),
    receive,
    stop: async () => {
      stopping.abort()
      await Promise.allSettled(tasks)
    },
  }
}
