/**
 * The HTTP contract between the patient page and the bridge. Types only: both sides import them, neither the other.
 *
 * Pages (GET, identical bytes for every token, change nothing): `/l/:token`, `/check`, `/assets/*`.
 * The token is 22 base58 characters (128 bit). It is in a path only in the page's own address; API calls carry it in the body, so that no log sees it.
 * Errors: `{ error: { code, sentence } }` with a 4xx status; Matrix paths answer in Matrix form (`errcode`).
 *
 * Files: the build writes `dist/patient/index.html` (served for `/l/:token` and `/check`; the server replaces every `%CLINIC_NAME%` and `%CLINIC_PHONE%`,
 * HTML-escaped) and `dist/patient/assets/*` with hashed names, each beside its `.br` and `.gz`.
 * Headers that the page is built for: `default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; connect-src 'self'; img-src 'self' blob:; media-src blob:;
 * style-src 'self'; worker-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'`,
 * and `Permissions-Policy: microphone=(self)` for voice messages.
 * Every `/api/session…` call but the first POST carries `Authorization: Bearer <csrf>` beside the cookie.
 */
export type Lang = 'en' | 'es'
export type Text = Record<Lang, string>

/** GET /api/clinic: what anybody may know. */
export type Clinic = {
  name: string
  phone: string
  logo: string | null
  /** CSS colour that the clinic's brand uses, e.g. `#0b5c8a`. */
  colour: string
  emergency: Text
  /** Who answers, and when. */
  answers: Text
  afterHours: boolean
  /** The only host that our texts ever link to. */
  host: string
}

export type Factor = 'birth_date' | 'sms_code' | 'pin'

/**
 * POST /api/link/tap `{ token }`: the patient's tap; starts no session and consumes nothing until a factor succeeds.
 * `closed` is the same for an unknown, used, expired or withdrawn link. `session`: this browser is already bound and its session lives.
 */
export type TapAnswer =
  | { state: 'closed' }
  | { state: 'locked' }
  | { state: 'factors'; factors: Factor[]; lang: Lang; triesLeft: number; reason: Reason; expiresAt: number }
  | { state: 'session'; session: Session }

/** Why the text was sent: a class, never a content. */
export type Reason = 'message' | 'reminder' | 'form' | 'billing' | 'result'

/** POST /api/link/verify `{ token, factor, value }`; birth_date is `YYYY-MM-DD`. The next factor, or the session (cookie set). */
export type VerifyAnswer =
  | { state: 'closed' }
  | { state: 'locked' }
  | { state: 'wrong'; triesLeft: number }
  | { state: 'factors'; factors: Factor[]; triesLeft: number }
  | { state: 'session'; session: Session }

/**
 * A live session: HttpOnly cookie `__Host-wardroom` plus this csrf value, which js-sdk sends as its bearer.
 * POST /api/session `{}` answers it again after a reload (a new Matrix device), or 401. The page sends its link's token in the `X-Wardroom-Link` header, so that a
 * session which belongs to another person's link (a shared phone) answers 401 and not the wrong conversation.
 */
export type Session = {
  csrf: string
  userId: string
  deviceId: string
  roomId: string
  lang: Lang
  /** Instants in milliseconds by the server's clock, of which `now` is the reading: a phone's own clock can be wrong by hours. */
  now: number
  idleAt: number
  reauthAt: number
  /** What is asked at `reauthAt`; the birth date where nothing is said. */
  reauthFactor?: Factor
  person: { kind: 'patient' | 'caregiver' }
  /** Display names of the care team by Matrix id, so that no profile call is needed. */
  team: Record<string, { name: string; role: string }>
  quickReplies: Text[]
  limits: { textBytes: number; uploadBytes: number }
}

/** POST /api/session/key `{ publicKey: JsonWebKey }` (ephemeral ECDH P-256): K wrapped to it, a compact JWE (ECDH-ES, A256GCM) of 32 bytes. */
export type KeyAnswer = { jwe: string }

/**
 * POST /api/session/extend → 200 with new deadlines.
 * POST /api/session/end → 204, the session and its device are gone; with `{ leaving: true }` (sent with `keepalive` on pagehide: the tab closes or reloads) only
 * the device goes and the session lives on until it is idle, so that a reload needs no birth date.
 */
export type ExtendAnswer = { now: number; idleAt: number; reauthAt: number }

/** POST /api/session/reauth `{ factor, value }`: after 60 min, without losing what was typed. */
export type ReauthAnswer =
  | { state: 'ok'; now: number; idleAt: number; reauthAt: number }
  | { state: 'wrong'; triesLeft: number }
  | { state: 'locked' }

/** GET /api/session/consents → `ConsentView[]`; POST `{ scope, agreed }` with one of them → 204. */
export type ConsentScope = 'care' | 'reminders' | 'billing' | 'unencrypted_logistics'
export type ConsentView = {
  scope: ConsentScope
  title: Text
  text: Text
  version: number
  agreed: boolean
  at: number | null
  method: 'written' | 'verbal' | 'page' | null
}

/**
 * Other calls, all POST, JSON, 202 or 204 and the same answer whatever the token is:
 *   /api/link/new        `{ token }`            text a new link to the number on file (rate limited)
 *   /api/link/not-me     `{ token }`            "this isn't me": the link closes, the team is told
 *   /api/link/stop       `{ token }`            stop texts to this number
 *   /api/link/sms-code   `{ token }`            text the six-digit code
 *   /api/check           `{ host }`             "check this text": `{ ours: boolean }`
 *   /api/session/undecryptable `{ eventId }`    the room is told to send it again
 *   /api/session/step    `{ step: 'decrypted' | 'failed', detail?: code }`  for the closed loop
 * Draft: account data `io.wardroom.draft` of the ghost, encrypted under K by the page, through the Matrix proxy.
 */
export type Refused = { error: { code: string; sentence: string } }

/**
 * POST /api/tryit `{not?: user ids}` of the local SMS server (embedded default only): a fresh login of a demo clinician. `recoveryKey` (32 bytes, base64) is
 * what an account that nobody has set up gets as its secret storage key. `nobody`: every demo clinician was named in `not`. POST /api/tryit/close
 * `{deviceId}` ends the login.
 */
export type TryIt =
  | { state: 'nobody' }
  | {
      state: 'ready'
      homeserverUrl: string
      userId: string
      accessToken: string
      deviceId: string
      recoveryKey: string
      bot: string
    }
