import type { Instant } from '../../../core/domain/clock.ts'
import { checkTemporary } from '../../../core/domain/oncall/schedule/check-change.ts'
import type { Layer } from '../../../core/domain/oncall/schedule/schedule.ts'
import { spanWords } from '../../../core/domain/oncall/words/duty-words.ts'
import { layerWords, parseEvery, parseOnly } from '../../../core/domain/oncall/words/layer-words.ts'
import { isRefusal, type Refusal, refuse } from '../../../core/domain/refusal.ts'
import { worldZones as zones } from '../../../core/oncall/zones.ts'
import { checkContext } from '../../../core/store/oncall/directory.ts'
import type { OnCallEntry } from '../../../core/store/oncall/read.ts'
import { checkRoleChange } from '../../../core/store/oncall/roles.ts'
import type { Answer } from '../../framework/answer.ts'
import { choice, named, optional, word } from '../../framework/args.ts'
import { type CommandContext, command } from '../../framework/command.ts'
import { proposeForConfirm } from '../changes.ts'
import { findRole, keepers, peopleArg, roleArg, spanIn, timeIn, words } from './args.ts'
import { consequences, horizon } from './preview.ts'

const layerId = () =>
  word('<layer>', 'nights', text =>
    /^[a-z0-9][a-z0-9_-]{0,39}$/i.test(text)
      ? text.toLowerCase()
      : refuse('bad-layer', 'A layer’s name is one word, such as nights.'),
  )

const rotation = {
  people: named('people', peopleArg()),
  every: optional(named('every', words('turn', 'week'))),
  start: optional(named('start', words('time', '2026-06-01 08:00'))),
  only: optional(named('only', words('hours', 'mon-fri 19:00-07:00'))),
}
type Wanted = { people: string[]; every?: string; start?: string; only?: string }

/** The layer that was asked for. A rotation keeps its turns on the wall's calendar, from the start that was given or from the last midnight. */
const layerOf = (id: string, w: Wanted, zone: string, now: Instant): Layer | Refusal => {
  const turns = parseEvery(w.every ?? 'week')
  if (isRefusal(turns)) return turns
  const begins = timeIn(w.start ?? 'today', zone, now)
  if (isRefusal(begins)) return begins
  const restrictions = w.only === undefined ? [] : parseOnly(w.only)
  if (isRefusal(restrictions)) return restrictions
  return { id, rotation: { kind: 'turns', ...turns, start: zones.wall(begins, zone), people: w.people }, restrictions }
}

const proposeLayers = async (
  context: CommandContext,
  entry: OnCallEntry,
  layers: readonly Layer[],
  summary: string,
): Promise<Answer | Refusal> => {
  const { tx } = context
  const wrong = await checkRoleChange(tx, entry, { layers })
  if (wrong) return wrong
  const notes = await consequences(tx, entry.schedule, { ...entry.schedule, layers }, horizon(tx.now))
  const { key, version } = entry.role
  const proposal = { do: 'role.change', key, change: { layers }, version } as const
  return proposeForConfirm(context, { kind: 'oncall', proposal, summary, own: false }, notes)
}

export const oncallSet = command({
  words: ['oncall', 'set'],
  needs: keepers,
  args: {
    role: roleArg(),
    layer: layerId(),
    ...rotation,
    place: optional(named('place', choice(['top', 'bottom']))),
  },
  help: 'Say who takes turns in a layer of a schedule; shows who would be on duty, gaps and conflicts, then waits for your !confirm.',
  detail:
    'A layer on top counts before those below it, where it is in force; a new one goes on top. Turns last a week unless you say every 12h, every 2,2,3 days or every month; ' +
    '"only" says when the layer counts at all: only mon-fri 19:00-07:00; sat-sun. The first turn is the first person’s and begins at "start", in the role’s time zone.',
  run: async (context, { role: key, layer: id, place, ...wanted }) => {
    const entry = await findRole(context.tx, key)
    if (isRefusal(entry)) return entry
    const { layers, zone } = entry.schedule
    const layer = layerOf(id, wanted, zone, context.tx.now)
    if (isRefusal(layer)) return layer
    const there = layers.find(l => l.id === id)
    if (there?.rotation.kind === 'list')
      return refuse('imported', `${id} is a list of shifts from a source; give the rotation another name.`)
    const others = layers.filter(l => l.id !== id)
    const next =
      place === 'bottom'
        ? [layer, ...others]
        : place === 'top' || !there
          ? [...others, layer]
          : layers.map(l => (l.id === id ? layer : l))
    return proposeLayers(context, entry, next, `${key}, layer ${id}: ${layerWords(layer, zone, zones)}`)
  },
})

export const oncallUnset = command({
  words: ['oncall', 'unset'],
  needs: keepers,
  args: { role: roleArg(), layer: layerId() },
  help: 'Take a layer out of a schedule; shows who would be on duty, then waits for your !confirm.',
  run: async (context, { role: key, layer: id }) => {
    const entry = await findRole(context.tx, key)
    if (isRefusal(entry)) return entry
    const next = entry.schedule.layers.filter(l => l.id !== id)
    if (next.length === entry.schedule.layers.length) return refuse('unknown-layer', `${key} has no layer ${id}.`)
    return proposeLayers(context, entry, next, `${key}: without layer ${id}`)
  },
})

export const oncallTemporary = command({
  words: ['oncall', 'temporary'],
  needs: keepers,
  args: {
    role: roleArg(),
    ...rotation,
    from: named('from', words('time', '2030-12-24 08:00')),
    to: named('to', words('time', '2030-12-27 08:00')),
  },
  help: 'Put other people in place of the whole schedule for a while (a holiday, a move); shows it, then waits for your !confirm.',
  run: async (context, { role: key, from, to, ...wanted }) => {
    const { tx } = context
    const entry = await findRole(tx, key)
    if (isRefusal(entry)) return entry
    const { schedule } = entry
    const span = spanIn(from, to, schedule.zone, tx.now)
    if (isRefusal(span)) return span
    const layer = layerOf('temporary', wanted, schedule.zone, span.from)
    if (isRefusal(layer)) return layer
    const made = checkTemporary({ id: '', ...span, layers: [layer] }, schedule, await checkContext(tx))
    if (isRefusal(made)) return made
    const { id: _, ...temporary } = made
    const after = { ...schedule, temporary: [...schedule.temporary, made] }
    const notes = await consequences(tx, schedule, after, horizon(tx.now, made))
    const summary = `${key}, instead of its layers: ${layerWords(layer, schedule.zone, zones)}, ${spanWords(made, schedule.zone, zones)}`
    const proposal = { do: 'temporary', key, temporary, version: entry.role.version } as const
    return proposeForConfirm(context, { kind: 'oncall', proposal, summary, own: false }, notes)
  },
})
