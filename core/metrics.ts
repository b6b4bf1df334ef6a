type Labels = Record<string, string>
type Kind = 'counter' | 'gauge'
type Family = {
  kind: Kind
  help: string
  values: Map<string, number>
  read?: () => Promise<{ labels?: Labels; value: number }[]>
}

/** Counts and gauges in Prometheus' text format (version 0.0.4). Labels are fixed words, never ids of persons or rooms. */
export type Metrics = {
  count(name: string, labels?: Labels, by?: number): void
  gauge(name: string, help: string, read: () => Promise<{ labels?: Labels; value: number }[]>): void
  text(): Promise<string>
}

const escaped = (v: string) => v.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n')
const shown = (labels: Labels = {}) => {
  const parts = Object.entries(labels).map(([k, v]) => `${k}="${escaped(v)}"`)
  return parts.length > 0 ? `{${parts.join(',')}}` : ''
}

/** `help` names every counter that may be counted; another name is a bug and throws. */
export const createMetrics = (help: Record<string, string> = counters): Metrics => {
  const families = new Map<string, Family>(
    Object.entries(help).map(([name, text]) => [name, { kind: 'counter', help: text, values: new Map() }]),
  )
  return {
    count: (name, labels, by = 1) => {
      const family = families.get(name)
      if (!family) throw new Error(`no counter is called ${name}`)
      const key = shown(labels)
      family.values.set(key, (family.values.get(key) ?? 0) + by)
    },
    gauge: (name, text, read) => void families.set(name, { kind: 'gauge', help: text, values: new Map(), read }),
    text: async () => {
      const lines: string[] = []
      for (const [name, f] of families) {
        lines.push(`# HELP ${name} ${f.help}`, `# TYPE ${name} ${f.kind}`)
        if (f.read) for (const { labels, value } of await f.read()) lines.push(`${name}${shown(labels)} ${value}`)
        for (const [labels, value] of f.values) lines.push(`${name}${labels} ${value}`)
      }
      return `${lines.join('\n')}\n`
    },
  }
}

export const counters: Record<string, string> = {
  wardroom_inbox_events_total: 'Events handled, by source and result.',
  wardroom_outbox_jobs_total: 'Jobs tried, by queue and result.',
  wardroom_audit_entries_total: 'Entries that this process added to the audit log.',
}
