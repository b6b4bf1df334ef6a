import { randomBytes } from 'node:crypto'
import { EventEmitter } from 'node:events'
import { appendFileSync, chmodSync, existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import type { Clock } from '../../../core/domain/clock.ts'
import { type Behaviour, specialNumbers } from './behaviours.ts'

export type LocalStatus = 'queued' | 'sent' | 'delivered' | 'undelivered' | 'received'
/** A text as the provider and the telephone have it. `erased`: gone at the provider; the telephone keeps it while this process lives. */
export type LocalMessage = {
  sid: string
  direction: 'outbound-api' | 'outbound-reply' | 'inbound'
  to: string
  from: string
  body: string
  status: LocalStatus
  errorCode: number | null
  createdAt: number
  sentAt: number | null
  callback: string | null
  erased: boolean
}

/** Which telephone a text is on. */
export const handsetOf = (m: LocalMessage): string => (m.direction === 'inbound' ? m.from : m.to)

type Rule = { behaviour: Behaviour; times: number | null }

/** What the stand-in for the provider remembers, in memory and, line by line, in a file of the data folder. */
export type LocalState = {
  messages(): readonly LocalMessage[]
  find(sid: string): LocalMessage | undefined
  add(m: Omit<LocalMessage, 'sid' | 'createdAt' | 'sentAt' | 'erased'>): LocalMessage
  update(sid: string, change: Partial<Pick<LocalMessage, 'status' | 'errorCode'>>): LocalMessage | undefined
  erase(sid: string): void
  /** What a number does with the next text; counts down limited ones. */
  behave(number: string): Behaviour
  setBehaviour(number: string, behaviour: Behaviour, times?: number): void
  behaviourOf(number: string): Behaviour
  optedOut: Set<string>
  /** `message` with every new or changed text, `behaviour` with a number. */
  changes: EventEmitter
}

const read = (file: string): LocalMessage[] => {
  const found = new Map<string, LocalMessage>()
  for (const line of existsSync(file) ? readFileSync(file, 'utf8').split('\n') : []) {
    try {
      const m = JSON.parse(line) as LocalMessage
      found.set(m.sid, m)
    } catch {
      // a kill in the middle of the last line; the text before it is whole
    }
  }
  return [...found.values()].filter(m => !m.erased)
}

export const openLocalState = (clock: Clock, file?: string): LocalState => {
  const list: LocalMessage[] = file ? read(file).slice(-2000) : []
  const bySid = new Map(list.map(m => [m.sid, m]))
  const rules = new Map<string, Rule>()
  const changes = new EventEmitter().setMaxListeners(0)
  if (file) {
    writeFileSync(`${file}.new`, list.map(m => `${JSON.stringify(m)}\n`).join(''), { mode: 0o600 })
    chmodSync(`${file}.new`, 0o600)
    renameSync(`${file}.new`, file)
  }
  const keep = (m: LocalMessage) => {
    if (file) appendFileSync(file, `${JSON.stringify(m.erased ? { ...m, body: '' } : m)}\n`)
    changes.emit('message', m)
    return m
  }
  const behaviourOf = (number: string) => rules.get(number)?.behaviour ?? specialNumbers[number] ?? 'normal'
  return {
    changes,
    optedOut: new Set(),
    messages: () => list,
    find: sid => bySid.get(sid),
    add: given => {
      const sid = `SM${randomBytes(16).toString('hex')}`
      const m: LocalMessage = { ...given, sid, createdAt: clock.now(), sentAt: null, erased: false }
      list.push(m)
      bySid.set(sid, m)
      return keep(m)
    },
    update: (sid, change) => {
      const m = bySid.get(sid)
      return m && keep(Object.assign(m, change, change.status === 'sent' ? { sentAt: clock.now() } : {}))
    },
    erase: sid => {
      const m = bySid.get(sid)
      if (m) keep(Object.assign(m, { erased: true }))
    },
    behaviourOf,
    behave: number => {
      const rule = rules.get(number)
      const behaviour = behaviourOf(number)
      if (rule?.times && --rule.times === 0) rules.delete(number)
      return behaviour
    },
    setBehaviour: (number, behaviour, times) => {
      rules.set(number, { behaviour, times: times ?? null })
      changes.emit('behaviour', number)
    },
  }
}
