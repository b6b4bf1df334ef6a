import type { Log } from '../../core/log.ts'
import type { Bot } from '../../core/matrix/bot/bot.ts'
import type { Homeserver } from '../../core/matrix/homeserver.ts'
import type { StoreDeps } from '../../core/store/tx.ts'

/** What the desk bot needs of its encrypted client. */
export type DeskBot = Pick<
  Bot,
  | 'userId'
  | 'deviceId'
  | 'decrypt'
  | 'send'
  | 'react'
  | 'redact'
  | 'createDirect'
  | 'join'
  | 'invite'
  | 'identityOf'
  | 'hasReader'
  | 'hasReader'
>

export type DeskDeps = {
  store: StoreDeps
  homeserver: Homeserver
  bot: DeskBot
  serverName: string
  publicUrl: string
  adminUrl: string
  log: Log
}
