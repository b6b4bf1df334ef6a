/**
 * The HTTP contract between the administrators' page and the audit process. Types only: both sides import them, neither the other.
 *
 * Pages (GET, the same bytes for everybody, change nothing): `/`, `/sign-in`, `/assets/*`. A one-time link is `/sign-in#<token>`: what stands behind `#` never
 * leaves the browser; the token goes in the body of one POST after a tap.
 * Every call is a POST with JSON, because every look is recorded and because a filter may name a patient, which belongs into no address. All but `/api/sign-in`
 * and the first `/api/session` carry `Authorization: Bearer <csrf>` beside the HttpOnly cookie `__Host-wardroom-admin`.
 * Errors: `{ error: { code, sentence } }`; 401 whenever there is no session any more: idle, over, another browser, role taken away.
 */
export type PageRole = 'compliance' | 'admin' | 'supervisor'

/** Instants in milliseconds by the server's clock, of which `now` is the reading. `reauthAt`: the absolute end. */
export type Deadlines = { now: number; idleAt: number; reauthAt: number }

/** The last four are web/oncall-contract.ts. */
export type ViewName =
  | 'timeline'
  | 'sinks'
  | 'checkpoint'
  | 'reports'
  | 'alerts'
  | 'on-call'
  | 'schedule'
  | 'pages'
  | 'responses'
export type ReportName = 'access' | 'links' | 'commands'

/** What may be chosen as a filter: an action of the log and how people call it. */
export type ActionChoice = { action: string; title: string; group: string }

/** POST /api/session `{}` after a reload, or 401. Touches nothing: only what a person does keeps the session alive. */
export type Session = Deadlines & {
  csrf: string
  userId: string
  roles: PageRole[]
  clinic: string
  /** IANA; every time on the page is shown in it. */
  timeZone: string
  /** Today there, ISO. */
  today: string
  actions: ActionChoice[]
  reports: ReportName[]
  /** What these roles see; every other view answers 403. */
  views: ViewName[]
}

/** POST /api/sign-in `{ token }`. `closed` is the same for an unknown, used, expired or withdrawn link, and for one whose person has no role any more. */
export type SignInAnswer = { state: 'closed' } | { state: 'in'; session: Session }

/**
 * POST /api/session/extend → `Deadlines`, the idle time starts again. POST /api/session/standing → `Deadlines`, nothing is touched.
 * POST /api/session/end → 204.
 */
export type Outcome = 'done' | 'refused' | 'failed'

/**
 * POST /api/view/timeline. Each of `actor`, `patient`, `room`, `object` is an identifier as people write it, or a commitment. Days are ISO, in the clinic's time
 * zone, both included. `before`: the next page.
 */
export type TimelineQuery = {
  actor?: string
  patient?: string
  room?: string
  object?: string
  action?: string
  outcome?: Outcome
  since?: string
  until?: string
  before?: number
}

/** Who or what an entry names: in clear, or as a commitment of 43 characters. `id` is empty where the role does not see it. */
export type Named = { kind: string; id: string; committed: boolean }

export type Entry = {
  idx: number
  id: number
  at: number
  actor: Named & { device?: string }
  action: string
  title: string
  /** A verb phrase after the actor. */
  sentence: string
  object: Named
  outcome: Outcome
  patient?: string
  /** Nobody can find out any more who the patient was. */
  erased?: true
  room?: string
  origin?: string
  reason?: string
  detail: [string, string][]
}
/** Newest first. `next` goes into `before`; null at the end. */
export type Timeline = { entries: Entry[]; next: number | null; size: number; now: number }

/** POST /api/view/sinks `{}` */
export type Sink = {
  name: string
  type: string
  target: string
  options: [string, string][]
  identify: boolean
  state: 'ok' | 'behind' | 'failing' | 'paused'
  cursor: number
  lagEntries: number
  lagMs: number
  dead: number
  tries: number
  lastErrorCode: string | null
  lastErrorAt: number | null
  lastOkAt: number | null
}
export type Sinks = { sinks: Sink[]; size: number; now: number }

/** POST /api/view/checkpoint `{}` */
export type Pin = { place: string; size: number; at: number; failing: string | null }
export type Witness = { name: string; size: number; at: number }
export type Checkpoint = {
  origin: string
  latest: { size: number; root: string; at: number; note: string } | null
  /** Events that are written down but not yet in the log, and the age of the oldest in milliseconds. */
  waiting: { events: number; ms: number }
  /** The first entry that retention has left. */
  first: number
  pins: Pin[]
  witnesses: Witness[]
  now: number
}

/** POST /api/view/reports `{ report, month }`, month as `2026-11`. */
export type ReportQuery = { report: ReportName; month: string }
export type AccessReport = {
  users: {
    user: string
    patients: number
    views: number
    messages: number
    changes: number
    refused: number
    outOfHours: number
    why: string[]
  }[]
  pairs: { user: string; patient: string; views: number; messages: number; changes: number; lastAt: number }[]
  patients: { patient: string; users: number; views: number }[]
  watching: { user: string; what: string; times: number; lastAt: number }[]
  days: { day: string; views: number; messages: number; changes: number }[]
}
export type LinksReport = {
  funnel: { step: string; n: number }[]
  texts: { state: string; n: number }[]
  ended: { how: string; n: number }[]
  reasons: { action: string; reason: string; n: number }[]
  trouble: { patient: string; refused: number; locked: number; textsFailed: number }[]
  days: { day: string; created: number; tapped: number; verified: number; refused: number }[]
}
export type CommandsReport = {
  commands: { command: string; times: number; refused: number; failed: number; users: number }[]
  users: { user: string; times: number; refused: number; failed: number; commands: number }[]
  reasons: { command: string; reason: string; n: number }[]
  days: { day: string; times: number; refused: number }[]
}
export type Report =
  | { report: 'access'; month: string; data: AccessReport }
  | { report: 'links'; month: string; data: LinksReport }
  | { report: 'commands'; month: string; data: CommandsReport }

/** POST /api/view/alerts `{}`: what goes on first, then the newest. */
export type Alert = {
  id: number
  rule: string
  severity: 'critical' | 'warning' | 'notice'
  sentence: string
  next: string
  count: number
  firstAt: number
  lastAt: number
  /** A state that is not over; what happened once neither goes on nor is cleared. */
  goesOn: boolean
  clearedAt: number | null
  entry: number | null
}
export type Alerts = { alerts: Alert[]; now: number }
