/**
 * The on-call views of the administrators' page (web/admin-contract.ts), for those who keep the schedules. Types only. Instants in milliseconds by the server's clock.
 * Nothing here says what a page is about, or about whom: references, roles, people of the staff, and times.
 */

/** What put somebody on duty; `id` of the layer, or of the change by hand. */
export type Reason = { by: 'layer' | 'temporary' | 'override' | 'swap' | 'fallback'; id?: string }

/** Who is on, the first to be called first; never empty. By `fallback`: nobody else is on. */
export type Duty = { person: string; reason: Reason }[]

/** What those are called who stand in an answer, by their identifiers. */
export type Names = Record<string, string>

/** POST /api/view/on-call `{}`; /api/view/on-call/again is the page's own question, a minute later. */
export type RoleNow = {
  key: string
  name: string
  unit: string
  zone: string
  fallback: string
  on: Duty
  /** The next instant at which other people are on, and who; null where nothing changes within 40 days. */
  next: { at: number; on: Duty } | null
}
export type OnCallNow = { roles: RoleNow[]; names: Names; now: number }

/** POST /api/view/schedule. `role`: its key, the first one without; `day`: ISO, in the role's zone, the week (from Monday) or month that has it; today without. From 100 days ago to 400 days ahead. */
export type ScheduleQuery = { role?: string; day?: string; span: 'week' | 'month' }
export type Span = { from: number; to: number }
/** A change by hand that reaches into the stretch. `person` is null for a temporary schedule. */
export type Change = Span & {
  id: string
  kind: 'add' | 'remove' | 'replace' | 'swap' | 'temporary'
  person: string | null
  replaces: string | null
}
export type Schedule = {
  role: Pick<RoleNow, 'key' | 'name' | 'unit' | 'zone' | 'fallback'>
  roles: { key: string; name: string }[]
  span: 'week' | 'month'
  from: number
  to: number
  /** Days of the role's zone: one of 23 or 25 hours is one in which the clocks change. */
  days: (Span & { day: string })[]
  today: string
  /** Who is on, in order and without an overlap; from where the past is known, without a gap. */
  on: (Span & { duty: Duty })[]
  /** What the layers say by themselves, the one that counts first on top. */
  layers: { id: string; shifts: (Span & { person: string })[] }[]
  changes: Change[]
  absences: (Span & { id: string; person: string })[]
  /** Another week or month may be asked for. */
  earlier: boolean
  later: boolean
  names: Names
  now: number
}

export type Priority = 'stat' | 'urgent' | 'routine'
export type PageState = 'asking' | 'held' | 'open' | 'accepted' | 'exhausted'

/** POST /api/view/pages `{}`; /api/view/pages/again is the page's own question, some seconds later. Those that nobody has first, of them the most urgent, of those the oldest. */
export type OpenPage = {
  ref: string
  priority: Priority
  state: PageState
  /** The role's key, or the person whom it is for. */
  target: string
  /** The role's name; null for a page to a person. */
  role: string | null
  createdAt: number
  /** Messages or alarms that it stands for. */
  count: number
  /** The step of the escalation, from 1 on; `round` of how often it is done. */
  step: number
  steps: number
  round: number
  rounds: number
  /** Whose answer is waited for. */
  waitsFor: string[]
  acceptedBy: string[]
  handedTo: string[]
  /** When the escalation goes on if nobody answers, null where it does not; and, while somebody is being called, with whom. */
  escalatesAt: number | null
  escalatesTo: 'again' | 'next-person' | 'next-step' | 'fallback' | null
  /** When somebody is reached in the next way of theirs. */
  contactAt: number | null
}
export type OpenPages = { pages: OpenPage[]; total: number; names: Names; now: number }

/** POST /api/view/responses `{ days }`: pages that were made in these days. From a page's creation until as many as it asks for had taken it, in milliseconds. */
export type ResponsesQuery = { days: 7 | 30 }
export type ResponseRow = {
  /** The role's key; null for pages to people. */
  role: string | null
  name: string
  priority: Priority
  pages: number
  accepted: number
  /** Nobody took it, and it is over or was called out to its fallback. */
  untaken: number
  median: number | null
  p90: number | null
  p99: number | null
}
export type Responses = { days: number; since: number; rows: ResponseRow[]; now: number }
