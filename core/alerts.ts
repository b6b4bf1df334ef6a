import type { Log } from './log.ts'

/** Something that a person must look at. `ref` is an id; the sentence holds no patient data. */
export type Alert = { code: string; ref: string; sentence: string }
export type Alerts = (alert: Alert) => void

/** Alerts as log lines at error level, each code and ref once in a process's life. */
export const logAlerts = (log: Log): Alerts => {
  const seen = new Set<string>()
  return ({ code, ref, sentence }) => {
    const key = `${code} ${ref}`
    if (seen.has(key)) return
    if (seen.size >= 10_000) seen.clear()
    seen.add(key)
    log.error({ alert: code, ref }, sentence)
  }
}
