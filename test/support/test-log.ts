import { pino } from 'pino'
import type { Log } from '../../core/log.ts'

/** A log that keeps its lines; `problems()` gives the messages at error level, of which a test expects none or names them. */
export const testLog = (): Log & { lines: { level: number; msg: string }[]; problems(): string[] } => {
  const lines: { level: number; msg: string }[] = []
  const log = pino({ level: 'debug' }, { write: line => void lines.push(JSON.parse(line)) })
  return Object.assign(log, { lines, problems: () => lines.filter(l => l.level >= 50).map(l => l.msg) })
}
