import express from 'express'
import type { Clock } from '../../../core/domain/clock.ts'
import { listen } from '../../../core/http/listen.ts'
import type { Log } from '../../../core/log.ts'
import type { Secret } from '../../../core/secret.ts'
import { isLocalAccount } from '../twilio.ts'
import { localApi } from './api.ts'
import { startCalls } from './calls.ts'
import { startCarrier } from './carrier.ts'
import { handsetRoutes } from './handset.ts'
import { restApi } from './rest.ts'
import { openLocalState } from './state.ts'

/** The account of the local server. No real one has letters beyond f, so that neither is ever taken for the other. */
export const localAccount = {
  accountSid: 'AClocal00000000000000000000000wardroom',
  messagingServiceSid: 'MGlocal00000000000000000000000wardroom',
} as const

/** The number that its texts and calls come from. */
export const localSender = '+18885550199'

export type LocalConfig = {
  authToken: Secret
  /** The patient page's address; incoming texts are reported to `<publicUrl>/sms/inbound`. */
  publicUrl: string
  clock: Clock
  log: Log
  host?: string
  port?: number
  accountSid?: string
  /** Where texts are remembered between starts; left out: in memory only. */
  stateFile?: string
  /** Between accepted, sent and delivered (300 ms). */
  stepMs?: number
  optOut?: 'off' | 'default'
  /** The number that texts come from. */
  sender?: string
  /** Origins whose pages may frame a handset. */
  frameAncestors?: readonly string[]
  /** Other pages on the same address, such as the try-it page. */
  routers?: readonly express.Router[]
  env?: NodeJS.ProcessEnv
}

export type LocalSms = { url: string; port: number; stop(): Promise<void> }

const ownHosts = /^(localhost|127\.0\.0\.1|\[::1\]|[a-z0-9-]+\.localhost)(:\d+)?$/i

/**
 * A server on this machine that speaks Twilio's Messages and Calls APIs, with telephones to look at. It stands for the provider and keeps its own file.
 * @throws when credentials of a real account are in sight: a patient is never answered by a toy.
 */
export const startLocal = async (config: LocalConfig): Promise<LocalSms> => {
  const accountSid = config.accountSid ?? localAccount.accountSid
  const env = config.env ?? process.env
  const real = [accountSid, env.TWILIO_ACCOUNT_SID].find(sid => sid && !isLocalAccount(sid))
  if (real || (env.TWILIO_AUTH_TOKEN && !env.TWILIO_ACCOUNT_SID))
    throw new Error('the local SMS server does not start where credentials of a real SMS account are present')
  const { log, authToken } = config
  const sender = config.sender ?? localSender
  const state = openLocalState(config.clock, config.stateFile)
  const { messagingServiceSid } = localAccount
  const carrier = startCarrier({
    state,
    accountSid,
    messagingServiceSid,
    authToken,
    sender,
    log,
    inboundUrl: `${config.publicUrl.replace(/\/+$/, '')}/sms/inbound`,
    stepMs: config.stepMs ?? 300,
    optOut: config.optOut ?? 'off',
  })
  const stepMs = config.stepMs ?? 300
  const calls = startCalls({ accountSid, authToken, clock: config.clock, stepMs, log })
  const streams = new Set<express.Response>()
  const app = express()
  app.disable('x-powered-by')
  // A foreign name that resolves to this machine must not read the telephones (DNS rebinding).
  app.use((req, res, next) => (ownHosts.test(req.get('host') ?? '') ? next() : res.status(421).end()))
  app.use(restApi({ state, carrier, accountSid, messagingServiceSid, authToken, sender, calls }))
  app.use(localApi(state, carrier, calls))
  app.use(handsetRoutes({ state, publicUrl: config.publicUrl, frameAncestors: config.frameAncestors ?? [], streams }))
  for (const router of config.routers ?? []) app.use(router)
  const server = await listen(app, { host: config.host, port: config.port, graceMs: 500 })
  return {
    url: server.url,
    port: server.port,
    stop: async () => {
      await carrier.stop()
      await calls.stop()
      for (const stream of streams) stream.end()
      await server.stop()
    },
  }
}
