import { readFileSync, statSync } from 'node:fs'
import { userInfo } from 'node:os'
import { tellTaken } from '../../bots/oncall/report.ts'
import { decodeText } from '../../core/oncall/calendar/decode.ts'
import { calendarLimits } from '../../core/oncall/calendar/ical/read-calendar.ts'
import { type Section, takePending, takeText } from '../../core/oncall/import/take.ts'
import { addSource, type OnCallSource, sourceOf } from '../../core/store/oncall/sources.ts'
import { type StoreDeps, transact } from '../../core/store/tx.ts'
import { type CliCommand, Explained, parseOptions } from '../command.ts'
import { orExplain, withStore } from '../open-store.ts'
import { printDuties } from './oncall-print.ts'

type Wanted = { role: string; layer: string; format: 'calendar' | 'csv'; dates?: 'day-first' | 'month-first' }

const isOrder = (text: string): text is 'day-first' | 'month-first' => text === 'day-first' || text === 'month-first'

const print = (sections: readonly Section[]) => {
  for (const { title, lines } of sections) console.log([title, ...lines.map(l => `  ${l}`)].join('\n'))
}

/** The source that files of this layer are; made at the first. */
const fileSource = (store: StoreDeps, w: Wanted, by: string): Promise<OnCallSource> =>
  transact(store, async tx => {
    const found = await sourceOf(tx, w.role, w.layer)
    if (found?.kind === 'url')
      throw new Explained(`The layer ${w.layer} of ${w.role} is read from ${found.host}; give another with --layer.`)
    const { role, layer, format, dates } = w
    return found
      ? { ...found, format, options: dates ? { dates } : {}, readHash: null }
      : orExplain(await addSource(tx, { role, layer, kind: 'file', format, options: dates ? { dates } : {} }, by))
  })

const textOf = (file: string): string => {
  const size = statSync(file, { throwIfNoEntry: false })?.size
  if (size === undefined) throw new Explained(`There is no file ${file}.`)
  if (size > calendarLimits.bytes)
    throw new Explained(`${file} has more than ${calendarLimits.bytes / 1024 / 1024} MB.`)
  return decodeText(readFileSync(file))
}

/** Reads a file into a layer, reports what it changes, and puts it in force with `--apply`. Gives the exit code: 0 in force or nothing to do, 1 not taken, 2 waits for --apply. */
export const importFile = async (
  store: StoreDeps,
  w: Wanted & { text: string; apply: boolean; by: string },
): Promise<number> => {
  const source = await fileSource(store, w, w.by)
  const taken = orExplain(await takeText(store, source, w.text, { by: w.by }))
  if (taken.kind === 'same') {
    console.log('It is that already: nothing changes.')
    return 0
  }
  print(taken.sections)
  if (taken.kind === 'problem') {
    console.log('Nothing was taken; the schedule stays as it is.')
    return 1
  }
  if (taken.kind === 'pending' && !w.apply) {
    console.log(`Nothing is changed yet, because ${taken.doubt}. If it is right, run this again with --apply.`)
    return 2
  }
  const told = await transact(store, async tx => {
    const done = taken.kind === 'taken' ? taken : orExplain(await takePending(tx, source, w.by))
    return tellTaken(tx, done, w.by)
  })
  console.log(`In force.${told.length > 0 ? ` The bot tells ${told.join(', ')}.` : ''}`)
  return 0
}

/** `wardroom oncall import cardiology duties.csv`: duties from a file; `wardroom oncall print`: the page of who is on call. */
export const oncall: CliCommand = {
  name: 'oncall',
  usage:
    'oncall import ROLE FILE [--layer NAME] [--format calendar|csv] [--dates day-first|month-first] [--apply] | print [--out FILE]',
  about:
    'read duties on call from an iCalendar or CSV file; says what it would change, and changes it with --apply; print who is on call for 7 days, with their numbers, as an HTML page',
  run: async args => {
    const { values, flags, rest } = parseOptions(args, {
      values: ['layer', 'format', 'dates', 'out', 'config'],
      flags: ['apply'],
    })
    const [what, role, file] = rest
    if (what === 'print' && role === undefined)
      return withStore(values.config, 'wardroom-oncall', store => printDuties(store, values.out))
    const { format = file?.toLowerCase().endsWith('.csv') ? 'csv' : 'calendar', dates, layer = 'import' } = values
    if (what !== 'import' || !role || !file)
      throw new Explained(
        'Say what: wardroom oncall import cardiology duties.ics, or wardroom oncall print --out FILE.',
      )
    if (format !== 'calendar' && format !== 'csv') throw new Explained('--format is calendar or csv.')
    if (dates !== undefined && !isOrder(dates)) throw new Explained('--dates is day-first or month-first.')
    if (!/^[a-z0-9][a-z0-9_-]{0,39}$/.test(layer)) throw new Explained('--layer is one word in lower case.')
    const text = textOf(file)
    const by = `host:${userInfo().username}`
    const wanted: Wanted = { role, layer, format, ...(dates === undefined ? {} : { dates }) }
    const how = { text, by, apply: flags.has('apply') }
    return withStore(values.config, 'wardroom-oncall', store => importFile(store, { ...wanted, ...how }))
  },
}
