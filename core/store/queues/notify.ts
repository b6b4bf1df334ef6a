import type pg from 'pg'
import type { Log } from '../../log.ts'
import { type Db, loneConnection } from '../db.ts'

export type Listening = { stop(): Promise<void> }

const reconnectMs = 500

/**
 * LISTENs on a connection of its own and calls `heard` with each payload; reconnects for ever, calling `heard('')` after every (re)connection, because
 * what was notified meanwhile is lost. Resolves when the first connection listens.
 */
export const listenTo = async (
  db: Db,
  channel: 'inbox' | 'outbox' | 'settings',
  heard: (payload: string) => void,
  log: Log,
): Promise<Listening> => {
  let client: pg.Client | undefined
  let again: NodeJS.Timeout | undefined
  let stopped = false
  const connect = async (): Promise<void> => {
    const mine = loneConnection(db)
    let lost = false
    const retry = () => {
      if (lost || stopped) return
      lost = true
      again = setTimeout(() => void connect(), reconnectMs)
    }
    mine.on('error', retry)
    mine.on('end', retry)
    mine.on('notification', n => heard(n.payload ?? ''))
    client = mine
    try {
      await mine.connect()
      await mine.query(`listen ${channel}`)
      heard('')
    } catch (err) {
      log.warn({ err, channel }, 'the database cannot be listened to; polling goes on')
      void mine.end().catch(() => undefined) // it may never have been open
      retry()
    }
  }
  await connect()
  return {
    stop: async () => {
      stopped = true
      clearTimeout(again)
      await client?.end().catch(() => undefined) // a connection that was lost is closed already
    },
  }
}
