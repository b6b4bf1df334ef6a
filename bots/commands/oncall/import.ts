import { isRefusal, type Refusal, refuse } from '../../../core/domain/refusal.ts'
import { readFeedAddress } from '../../../core/oncall/import/feed-address.ts'
import { takePending } from '../../../core/oncall/import/take.ts'
import { staffOf } from '../../../core/store/oncall/directory.ts'
import { onCallPerson, putOnCallPerson } from '../../../core/store/oncall/people.ts'
import {
  addSource,
  askAgain,
  type OnCallSource,
  removeSource,
  sourceInterval,
  sourceOf,
  sourcesOf,
} from '../../../core/store/oncall/sources.ts'
import type { Tx } from '../../../core/store/tx.ts'
import { answer, table } from '../../framework/answer.ts'
import { choice, duration, named, optional, phrase, userId, word } from '../../framework/args.ts'
import { command } from '../../framework/command.ts'
import { reportOf, sourceWords, tellTaken } from '../../oncall/report.ts'
import { findRole, keepers, roleArg } from './args.ts'

const layer = optional(
  named(
    'layer',
    word('<layer>', 'feed', text =>
      /^[a-z0-9][a-z0-9_-]{0,39}$/i.test(text)
        ? text.toLowerCase()
        : refuse('bad-layer', 'A layer’s name is one word, such as feed.'),
    ),
  ),
)
const usualLayer = 'import'

const findSource = async (tx: Tx, role: string, inLayer: string | undefined): Promise<OnCallSource | Refusal> => {
  const name = inLayer ?? usualLayer
  const found = await sourceOf(tx, role, name)
  const all = found ? [] : await sourcesOf(tx, role)
  const only = inLayer === undefined && all.length === 1 ? all[0] : undefined
  return found ?? only ?? refuse('unknown-source', `${role} has no import in its layer ${name}: !oncall import list`)
}

export const oncallImport = command({
  words: ['oncall', 'import'],
  needs: keepers,
  args: {
    role: roleArg(),
    url: named(
      'url',
      word('<address>', 'https://schedules.example/cardiology.ics', text => text),
    ),
    layer,
    every: optional(named('every', duration())),
    format: optional(named('format', choice(['calendar', 'csv']))),
    dates: optional(named('dates', choice(['day-first', 'month-first']))),
  },
  help: 'Read a layer of a schedule from a calendar feed (iCalendar) or a table (CSV) elsewhere, again and again; the first reading waits for your word.',
  detail:
    'A change there counts here within a minute, or as often as you say with "every"; some sources forbid to be asked so often. What makes gaps or conflicts, names that I do not ' +
    'know, and a source that is suddenly empty are reported to you and change nothing until you say so. Overrides are never overwritten. The address may be secret: your message is removed.',
  phi: true,
  run: async ({ tx, sender, settings }, { role, url: text, layer: inLayer, every, format, dates }) => {
    const entry = await findRole(tx, role)
    if (isRefusal(entry)) return entry
    const url = readFeedAddress(text, settings['oncall.import_hosts'])
    if (isRefusal(url)) return url
    if (every !== undefined && (every < sourceInterval.least || every > sourceInterval.most))
      return refuse('out-of-range', 'A source is asked at most every minute and at least once a day.')
    const source = await addSource(
      tx,
      {
        role,
        layer: inLayer ?? usualLayer,
        kind: 'url',
        format: format ?? (/\.csv$/i.test(url.pathname) ? 'csv' : 'calendar'),
        options: dates ? { dates } : {},
        url,
        ...(every === undefined ? {} : { everyMs: every }),
      },
      sender.userId,
    )
    if (isRefusal(source)) return source
    return answer(
      `I am reading the duties for ${sourceWords(source)} from ${url.host} and tell you here what they would change. Nothing is changed yet.`,
    )
  },
})

export const oncallImportAccept = command({
  words: ['oncall', 'import', 'accept'],
  needs: keepers,
  args: { role: roleArg(), layer },
  help: 'Put in force what waits of an import, as I reported it to you.',
  run: async ({ tx, sender }, { role, layer: inLayer }) => {
    const source = await findSource(tx, role, inLayer)
    if (isRefusal(source)) return source
    const taken = await takePending(tx, source, sender.userId)
    if (isRefusal(taken)) return taken
    await tellTaken(tx, taken, sender.userId)
    return reportOf(source, taken) ?? answer('Nothing is different.')
  },
})

export const oncallImportName = command({
  words: ['oncall', 'import', 'name'],
  needs: keepers,
  args: { name: phrase('name', 'Lee, A', 80), person: userId() },
  help: 'Say whom a name in imported schedules means; it is remembered.',
  run: async ({ tx, sender }, { name, person }) => {
    if (!(await staffOf(tx)).has(person))
      return refuse('unknown-person', `${person} is not a person that Wardroom knows.`)
    const { aliases } = await onCallPerson(tx, person)
    if (aliases.length >= 50) return refuse('too-many', `${person} has 50 names already.`)
    const others = aliases.filter(a => a !== name)
    const done = await putOnCallPerson(tx, person, { aliases: [...others, name] }, sender.userId)
    if (isRefusal(done)) return done
    await askAgain(tx)
    return answer(`I know now that “${name}” is ${person}, and read again what waits for it.`)
  },
})

const minute = (at: number) => new Date(at).toISOString().slice(0, 16).replace('T', ' ')
const every = (ms: number) => (ms % 60_000 === 0 ? `${ms / 60_000} min` : `${Math.round(ms / 1000)} s`)

export const oncallImportList = command({
  words: ['oncall', 'import', 'list'],
  needs: keepers,
  args: {},
  help: 'Every import: where from, how often, when it was last read and changed, and what stands in the way.',
  views: 'oncall.view',
  run: async ({ tx }) => {
    const sources = await sourcesOf(tx)
    if (sources.length === 0) return answer('There is no import.')
    const state = (s: OnCallSource) =>
      s.pending
        ? 'waits for your word'
        : (s.problem?.slice(0, 150) ?? (s.readAt === null ? 'not read yet' : 'in force'))
    return answer(
      ...table(
        ['Role', 'Layer', 'From', 'Every', 'Read (UTC)', 'Changed (UTC)', 'State'],
        sources.map(s => [
          s.role,
          s.layer,
          s.host ?? 'a file',
          s.everyMs === null ? '' : every(s.everyMs),
          s.readAt === null ? '' : minute(s.readAt),
          s.changedAt === null ? '' : minute(s.changedAt),
          state(s),
        ]),
      ),
    )
  },
})

export const oncallImportRemove = command({
  words: ['oncall', 'import', 'remove'],
  needs: keepers,
  args: { role: roleArg(), layer },
  help: 'No longer read a layer from its source; what it last said stays until you change it (!oncall unset).',
  run: async ({ tx, sender }, { role, layer: inLayer }) => {
    const source = await findSource(tx, role, inLayer)
    if (isRefusal(source)) return source
    await removeSource(tx, source, sender.userId)
    return answer(`Done: ${sourceWords(source)} is no longer read from ${source.host ?? 'files'}.`)
  },
})
