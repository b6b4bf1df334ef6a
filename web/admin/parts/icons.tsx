import type { JSX } from 'preact'
import type { ViewName } from '../../admin-contract.ts'

const paths: Record<ViewName | 'lock' | 'out' | 'menu' | 'refresh' | 'down', string> = {
  timeline: 'M8 6h12M8 12h12M8 18h12M4 6h.01M4 12h.01M4 18h.01',
  reports: 'M5 20V11M12 20V4M19 20v-6',
  alerts: 'M12 4a5.500 5.500 0 0 1 5.500 5.500V14l2 3h-15l2-3V9.500A5.500 5.500 0 0 1 12 4zM10 20h4',
  sinks: 'M12 3v9M8.500 8.500 12 12l3.500-3.500M4 14v5h16v-5',
  checkpoint: 'M12 3 5 6v5c0 4.500 3 8 7 10 4-2 7-5.500 7-10V6zM9 12l2.200 2.200L15.500 10',
  'on-call': 'M12 4a4 4 0 1 1 0 8 4 4 0 0 1 0-8zM4 20a8 8 0 0 1 11-5.500M18 15v6M15 18h6',
  schedule: 'M4 6h16v14H4zM4 10h16M8 3v5M16 3v5',
  pages: 'M4 5h16v11H9l-5 4zM12 8v3M12 13h.01',
  responses: 'M12 5a7.500 7.500 0 1 1 0 15 7.500 7.500 0 0 1 0-15zM12 8.500v4l2.500 2M10 2.500h4',
  lock: 'M6 11h12v9H6zM8.500 11V8a3.500 3.500 0 0 1 7 0v3',
  out: 'M14 4h6v16h-6M10 8l-4 4 4 4M6 12h9',
  menu: 'M4 7h16M4 12h16M4 17h16',
  refresh: 'M19 12a7 7 0 1 1-2-5M19 4v4h-4',
  down: 'M6 9l6 6 6-6',
}

/** Line icons on a 24 grid; decoration only, words stand beside each. */
export const Icon = ({ of }: { of: keyof typeof paths }): JSX.Element => (
  <svg class="icon" viewBox="0 0 24 24" width="24" height="24" aria-hidden="true" focusable="false">
    <path d={paths[of]} />
  </svg>
)

export const LockBadge = (): JSX.Element => (
  <div class="badge-round" aria-hidden="true">
    <Icon of="lock" />
  </div>
)
