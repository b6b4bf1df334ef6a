import { type Transition, transitions } from '../../../core/time-zones.ts'
import { seededRandom } from '../random.ts'

/** A change of clocks: how many minutes, from which offset, at which minute of the local day; and a zone and an instant where it happened. */
export type ZoneShape = Transition & { zone: string; name: string }

/** Zones whose clocks did something of their own between 2000 and 2037: half an hour, two hours, a skipped day, Ramadan, a minute past midnight. */
const odd = [
  'Africa/Cairo',
  'Africa/Casablanca',
  'Africa/Juba',
  'Africa/Windhoek',
  'America/Asuncion',
  'America/Caracas',
  'America/Godthab',
  'America/Havana',
  'America/New_York',
  'America/Santiago',
  'America/St_Johns',
  'Antarctica/Casey',
  'Antarctica/Troll',
  'Asia/Amman',
  'Asia/Dhaka',
  'Asia/Gaza',
  'Asia/Kathmandu',
  'Asia/Pyongyang',
  'Asia/Tehran',
  'Atlantic/Azores',
  'Australia/Lord_Howe',
  'Europe/Berlin',
  'Europe/Dublin',
  'Europe/Volgograd',
  'Pacific/Apia',
  'Pacific/Bougainville',
  'Pacific/Norfolk',
]

const minuteOfDay = (t: Transition) => (((t.at / 60_000 + t.before) % 1440) + 1440) % 1440

/**
 * The distinct changes of clocks of all zones of the runtime in 2000–2037; in the small counts those of the odd zones and a few more, and only one of each change and
 * local time whatever the offset.
 */
export const zoneShapes = (everything: boolean): ZoneShape[] => {
  const random = seededRandom('zone shapes')
  const all = Intl.supportedValuesOf('timeZone')
  const zones = everything ? all : [...odd, random.pick(all), random.pick(all), random.pick(all)]
  const shapes = new Map<string, ZoneShape>()
  for (const zone of zones) {
    for (const t of transitions(zone, 2000, 2037)) {
      const local = minuteOfDay(t)
      const key = everything ? `${t.before} ${t.after} ${local}` : `${t.after - t.before} ${local}`
      shapes.set(key, { ...t, zone, name: `${zone} ${new Date(t.at).toISOString()} ${t.before}→${t.after} min` })
    }
  }
  return [...shapes.values()]
}

/** What the wall clock reads at each minute from `from` on, asked of the runtime one by one: the truth that the tables are held against. */
export const readings = (zone: string, from: number, minutes: number): number[] => {
  const clock = new Intl.DateTimeFormat('en-US', {
    timeZone: zone,
    year: 'numeric',
    month: '2-digit',
    day: '2-digit',
    hour: '2-digit',
    minute: '2-digit',
    hourCycle: 'h23',
  })
  return Array.from({ length: minutes }, (_, i) => {
    const [month, day, year, hour, minute] = clock
      .format(from + i * 60_000)
      .split(/\D+/)
      .map(Number)
    return Date.UTC(year ?? 0, (month ?? 0) - 1, day, hour, minute) / 60_000
  })
}
