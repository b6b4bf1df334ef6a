import { type ChildProcess, spawn } from 'node:child_process'
import { setTimeout as pause } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import type { Behaviour } from '../../../appservice/sms/local/behaviours.ts'
import { startLocal } from '../../../appservice/sms/local/main.ts'
import type { RoomId, UserId } from '../../../core/domain/ids.ts'
import type { PageEvent } from '../../../core/domain/oncall/paging/page.ts'
import { isRefusal, type Refusal } from '../../../core/domain/refusal.ts'
import type { PageRequest } from '../../../core/oncall/pages/request-page.ts'
import { secret } from '../../../core/secret.ts'
import { addAlarmSource } from '../../../core/store/oncall/alarms.ts'
import { putOnCallPerson } from '../../../core/store/oncall/people.ts'
import { addOnCallRole } from '../../../core/store/oncall/roles.ts'
import { recordRoom } from '../../../core/store/patients/care.ts'
import { grantRole } from '../../../core/store/staff/roles.ts'
import { seedSettings } from '../../../core/store/staff/settings.ts'
import { transact } from '../../../core/store/tx.ts'
import { database } from '../database.ts'
import { eventually } from '../eventually.ts'
import { freePort } from '../free-port.ts'
import { ownPostgres } from '../own-postgres.ts'
import type { FromWorker, PagesWorkerOptions, ToWorker } from '../processes/pages-process.ts'
import type { SeededRandom } from '../random.ts'
import { localPhones } from '../receivers/local-phones.ts'
import { testLog } from '../test-log.ts'
import { farHomeserver } from './far-homeserver.ts'
import type { KillStep } from './kill-steps.ts'
import { plan, role, step, user } from './paging.ts'
import { roughRoad } from './rough-road.ts'
import { layer, turns } from './schedules.ts'
import { at, lineNumber, phones } from './test-clinic.ts'

const script = fileURLToPath(new URL('../processes/pages-process.ts', import.meta.url))
const token = 'a-token-for-tests'
const good = <T>(value: T | Refusal): T => {
  if (isRefusal(value)) throw new Error(value.sentence)
  return value
}

type Worker = { child: ChildProcess; ready: boolean; waits: boolean; gone: boolean }

/**
 * A clinic whose paging process is killed again and again: a PostgreSQL of its own that a test may kill too, a stand-in for the homeserver and the provider's
 * network that fail when told, and two clocks. The next process waits, loaded, for the present one to die.
 */
export const reliabilityWorld = async (random: SeededRandom) => {
  const postgres = await ownPostgres()
  const d = await database({ url: postgres.url })
  const { store } = d
  const { db } = store
  const log = testLog()
  const homeserver = await farHomeserver()
  const port = await freePort()
  const road = await roughRoad(port, random)
  const ahead = { wall: 0, monotonic: 0 }
  /** The provider's clock is right, whatever becomes of ours. */
  const local = await startLocal({
    authToken: secret(token),
    publicUrl: road.url,
    clock: { now: () => Date.now() + ahead.monotonic },
    log,
    stepMs: 5,
    env: {},
  })
  const source = await transact(store, async tx => {
    for (const name of ['ann', 'bob', 'cy', 'sue'])
      await grantRole(tx, { userId: at(name) as UserId, role: 'clinician', by: 'configuration', identity: null })
    await seedSettings(tx, { 'clinic.phone': lineNumber, 'clinic.time_zone': 'America/New_York' })
    const calls = plan([step([role('cardiology')], { waitMs: 120_000 }), step([user(at('bob'))], { waitMs: 120_000 })])
    const policy = { name: 'cardiology', plans: { routine: calls, urgent: calls, stat: calls } }
    // At an hour that one day of the year has twice, and another not at all.
    const daily = layer('daily', turns('day', '2026-01-05 02:30', [at('ann'), at('cy')]))
    const about = { key: 'cardiology', name: 'Cardiology', unit: 'main', zone: 'America/New_York', fallback: at('bob') }
    good(
      await addOnCallRole(
        tx,
        { ...about, server: 'clinic.example', layers: [daily], policy },
        { by: at('sue'), lines: ['switchboard'] },
      ),
    )
    for (const [name, phone] of Object.entries(phones))
      good(await putOnCallPerson(tx, at(name), { name, phone }, at(name)))
    await recordRoom(tx, { roomId: '!desk' as RoomId, class: 'desk', unit: 'main', by: at('wardroom') })
    return good(await addAlarmSource(tx, { name: 'pumps', role: 'cardiology', priority: 'stat' }, at('sue')))
  })

  const telephones = localPhones(local.url)
  const numberOf = (name: string): string => phones[name] ?? lineNumber

  const load = (): Worker => {
    const o: PagesWorkerOptions = {
      url: postgres.url,
      keys: d.keys,
      localUrl: local.url,
      publicUrl: road.url,
      homeserverUrl: homeserver.url,
      token,
      port,
    }
    const child = spawn(process.execPath, [script], {
      env: { ...process.env, PAGES_WORKER: JSON.stringify(o) },
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    })
    const w: Worker = { child, ready: false, waits: false, gone: false }
    child.on('message', (m: FromWorker) => {
      if ('ready' in m) w.ready = true
      if ('waits' in m) w.waits = true
      if ('id' in m) asked.get(m.id)?.(m.result)
    })
    child.once('exit', () => {
      w.gone = true
      for (const [id, done] of asked)
        if (of.get(id) === w) {
          asked.delete(id)
          done(undefined)
        }
    })
    return w
  }
  const asked = new Map<number, (result: unknown) => void>()
  const of = new Map<number, Worker>()
  let questions = 0
  const judged = new Set<string>()
  let next = load()
  let now: Worker | undefined
  const tell = (w: Worker, m: ToWorker) => void (w.gone || w.child.send(m, () => undefined))
  /** Undefined when the process died before it answered: then nobody knows. */
  const ask = (m: { do: 'request'; request: PageRequest } | { do: 'answer'; page: string; event: PageEvent }) =>
    new Promise<unknown>(done => {
      const w = now
      if (!w || w.gone) return done(undefined)
      const id = ++questions
      asked.set(id, done)
      of.set(id, w)
      tell(w, { ...m, id } as ToWorker)
      setTimeout(() => asked.delete(id) && done(undefined), 3000).unref()
    })

  return {
    db,
    store,
    postgres,
    homeserver,
    road,
    ask,
    source: { id: source.id, token: source.token, url: `http://127.0.0.1:${port}/alarms` },
    /** Is the process dead? Then the next one begins where it stopped. */
    dead: () => now === undefined || now.gone,
    begin: async (kill?: KillStep) => {
      const w = next
      await eventually(() => w.waits || w.gone, { timeout: 60_000, what: 'a loaded process' })
      now = w
      tell(w, { do: 'go', ...ahead, ...(kill ? { kill } : {}) })
      next = load()
      await eventually(() => w.ready || w.gone, { timeout: 60_000, what: 'a process that works' })
    },
    arm: (kill: KillStep) => now && tell(now, { do: 'arm', kill }),
    kill: () => now?.child.kill('SIGKILL'),
    /** Time passes, or (`onlyWall`) the machine's clock is set. */
    move: (ms: number, onlyWall = false) => {
      ahead.wall += ms
      if (!onlyWall) ahead.monotonic += ms
      store.clock.set(Date.now() + ahead.wall)
      if (now) tell(now, { do: 'clock', ...ahead })
    },
    /** Another day, between two runs. */
    moveTo: (instant: number) => {
      ahead.wall = instant - Date.now()
      ahead.monotonic = ahead.wall
      store.clock.set(instant)
      if (now) tell(now, { do: 'clock', ...ahead })
    },
    behave: (name: string, behaviour: Behaviour, times?: number) => telephones.behave(numberOf(name), behaviour, times),
    say: (name: string, body: string) => telephones.say(numberOf(name), body),
    texts: (name: string) => telephones.texts(numberOf(name)),
    calls: (name: string) => telephones.calls(numberOf(name)),
    /** True once for each text and call. */
    isNew: (sid: string) => !judged.has(sid) && judged.add(sid) !== undefined,
    pickUp: (sid: string, digits: string) => telephones.pickUp(sid, digits).catch(() => undefined),
    stop: async () => {
      now?.child.kill('SIGKILL')
      next.child.kill('SIGKILL')
      while ((now && !now.gone) || !next.gone) await pause(10)
      await local.stop()
      await road.stop()
      await homeserver.stop()
      await d.drop()
      await postgres.end()
    },
  }
}
export type ReliabilityWorld = Awaited<ReturnType<typeof reliabilityWorld>>
