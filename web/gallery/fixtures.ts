import type { Clinic, ConsentView, Session } from '../contract.ts'
import { initialState, type Screen, type State } from '../patient/model.ts'
import type { Item } from '../shared/conversation/item.ts'

/** Made-up people only. The instant is fixed, so that pictures of the screens can be compared. */
export const now = Date.parse('2026-03-12T15:42:00Z')
const minutes = (n: number) => now - n * 60_000

export const clinic: Clinic = {
  name: 'Lakeside Heart Clinic',
  phone: '+12025550199',
  logo: null,
  colour: '#0b5c8a',
  emergency: {
    en: 'If you have chest pain or cannot breathe well, call 911 now.',
    es: 'Si tiene dolor en el pecho o no puede respirar bien, llame al 911 ahora.',
  },
  answers: {
    en: 'A nurse answers Monday to Friday, 8 am to 5 pm, most often within 2 hours.',
    es: 'Una enfermera responde de lunes a viernes, de 8 a 17 horas, casi siempre en 2 horas.',
  },
  afterHours: false,
  host: 'msg.lakeside-heart.example',
}

const nurse = '@ann:clinic.example'
const doctor = '@ruiz:clinic.example'
const me = '@p_x:clinic.example'

export const session: Session = {
  csrf: 'x',
  userId: me,
  deviceId: 'D',
  roomId: '!r:clinic.example',
  lang: 'en',
  now,
  idleAt: now + 900_000,
  reauthAt: now + 3_600_000,
  person: { kind: 'patient' },
  team: { [nurse]: { name: 'Ann Weber', role: 'Nurse' }, [doctor]: { name: 'Dr. Elena Ruiz', role: 'Cardiologist' } },
  quickReplies: [
    { en: 'Yes', es: 'Sí' },
    { en: 'No', es: 'No' },
    { en: 'Thank you', es: 'Gracias' },
    { en: 'Please call me', es: 'Llámeme, por favor' },
  ],
  limits: { textBytes: 16_000, uploadBytes: 20_000_000 },
}

const consent = (
  scope: ConsentView['scope'],
  title: string,
  es: string,
  text: string,
  esText: string,
  agreed: boolean,
): ConsentView => ({
  scope,
  title: { en: title, es },
  text: { en: text, es: esText },
  version: 2,
  agreed,
  at: agreed ? Date.parse('2026-02-03T10:00:00Z') : null,
  method: agreed ? 'written' : null,
})

export const consents: ConsentView[] = [
  consent(
    'care',
    'Messages about my care',
    'Mensajes sobre mi atención',
    'We text you a link when your care team writes to you. The text itself says nothing about your health.',
    'Le enviamos un enlace cuando su equipo médico le escribe. El mensaje de texto no dice nada sobre su salud.',
    true,
  ),
  consent(
    'reminders',
    'Reminders',
    'Recordatorios',
    'We may remind you of visits and of messages that you have not opened.',
    'Podemos recordarle citas y mensajes que no ha abierto.',
    true,
  ),
  consent(
    'billing',
    'Bills',
    'Facturas',
    'We may text you a link to a message about a bill.',
    'Podemos enviarle un enlace a un mensaje sobre una factura.',
    false,
  ),
]

const item = (id: string, sender: string, ago: number, content: Item['content'], more: Partial<Item> = {}): Item => ({
  id,
  sender,
  at: minutes(ago),
  content,
  mark: sender === me ? 'read' : 'received',
  ...more,
})
const text = (body: string) => ({ kind: 'text' as const, body })

export const items: Item[] = [
  item(
    '1',
    nurse,
    1520,
    text('Good morning Mr. Hill. This is Ann from the heart clinic. How do you feel with the new tablets?'),
  ),
  item('2', nurse, 1519, text('Please also weigh yourself tomorrow morning and send me a photo of the scale.')),
  item('3', me, 1402, text('Good morning. A bit dizzy when I get up fast. Otherwise fine.')),
  item(
    '4',
    doctor,
    1380,
    text(
      'Thank you. Please get up slowly and drink enough water. Here is how it works: https://lakeside-heart.example/dizzy.',
    ),
    {
      quote: { sender: me, body: 'A bit dizzy when I get up fast.' },
    },
  ),
  item('5', me, 75, {
    kind: 'image',
    media: { id: 'photo', name: 'photo.jpg', mime: 'image/jpeg', bytes: 300_000, width: 640, height: 440 },
  }),
  item('6', me, 74, text('Here it is.'), { mark: 'read' }),
  item('7', nurse, 40, {
    kind: 'file',
    media: { id: 'file', name: 'Plan for March.pdf', mime: 'application/pdf', bytes: 348_000 },
  }),
  item('8', nurse, 39, {
    kind: 'voice',
    media: { id: 'voice', name: 'voice.webm', mime: 'audio/webm', bytes: 50_000, seconds: 24 },
  }),
  item('9', nurse, 12, text('All good. Do you still have enough tablets for this week?'), { edited: true }),
]

const troubled: Item[] = [
  ...items.slice(0, 4),
  item('u', nurse, 60, { kind: 'unreadable' }),
  item('o', doctor, 50, { kind: 'opening' }),
  item('d', nurse, 45, { kind: 'removed' }),
  item('s', me, 30, text('I can come on Monday.'), { bySms: true, mark: 'sent' }),
  item(
    'f',
    me,
    3,
    text('I feel dizzy again, is that normal? I took the tablet at eight and my pressure is 105 over 60.'),
    { mark: 'failed' },
  ),
  item('w', me, 0, text('Hello?'), { mark: 'sending' }),
]

export type Fixture = { name: string; state: State }

const base: State = { ...initialState('x', 'en', now), clinic }
const at = (name: string, screen: Screen, more: Partial<State> = {}): Fixture => ({
  name,
  state: { ...base, screen, ...more },
})
const factor = {
  at: 'factor',
  factor: 'birth_date',
  reason: 'message',
  expiresAt: now + 86_400_000 * 2,
  triesLeft: 3,
  fault: null,
  busy: false,
  codeSent: false,
} as const
const talk = { me, items, older: 'some', connection: 'ok' } as const
const inside = (name: string, more: Partial<State> = {}): Fixture =>
  at(name, { at: 'conversation' }, { session, talk: { ...talk, items }, ...more })

/** Every screen of the patient page. The accessibility test and the pictures walk this list. */
export const fixtures: Fixture[] = [
  at('starting', { at: 'starting' }),
  at('landing', { at: 'landing', busy: false }),
  at('landing-busy', { at: 'landing', busy: true }),
  at('landing-problem', { at: 'landing', busy: false }, { problem: 'network' }),
  at('landing-offline', { at: 'landing', busy: false }, { online: false }),
  at('ask-not-me', { at: 'ask-not-me', busy: false }),
  at('not-me', { at: 'not-me' }),
  at('ask-stop', { at: 'ask-stop', busy: false }),
  at('stopped', { at: 'stopped' }),
  at('check', { at: 'check', busy: false, host: '', result: 'none' }, { token: null }),
  at('check-missing', { at: 'check', busy: false, host: '', result: 'missing' }),
  at('check-ours', { at: 'check', busy: false, host: clinic.host, result: 'ours' }),
  at('check-not-ours', {
    at: 'check',
    busy: false,
    host: 'lakeside-heart.example.win-a-prize.test',
    result: 'not-ours',
  }),
  at('birth-date', factor),
  at('birth-date-missing', { ...factor, fault: 'missing' }),
  at('birth-date-wrong', { ...factor, fault: 'wrong', triesLeft: 2 }),
  at('sms-code', { ...factor, factor: 'sms_code', codeSent: true }),
  at('sms-code-wrong', { ...factor, factor: 'sms_code', fault: 'wrong', triesLeft: 1 }),
  at('pin', { ...factor, factor: 'pin', reason: 'result' }),
  at('locked', { at: 'locked' }),
  at('closed', { at: 'closed', busy: false }),
  at('new-link', { at: 'new-link' }),
  at('opening', { at: 'opening', step: 'secure' }),
  at('failed-setup', { at: 'failed', why: 'setup' }),
  at('failed-broken', { at: 'failed', why: 'broken' }),
  at('failed-homeserver', { at: 'failed', why: 'homeserver' }),
  at('no-wasm', { at: 'no-wasm' }),
  at('other-tab', { at: 'other-tab' }),
  at('ended-you', { at: 'ended', why: 'you', draft: false }),
  at('ended-idle', { at: 'ended', why: 'idle', draft: true }),
  inside('conversation'),
  inside('conversation-empty', { talk: { ...talk, items: [], older: 'none' } }),
  inside('conversation-writing', {
    compose: {
      text: 'Yes, I have tablets until Sunday. Should I come in to get new ones?',
      staged: null,
      preparing: false,
      notice: null,
    },
  }),
  inside('conversation-trouble', { talk: { ...talk, items: troubled }, online: false }),
  inside('conversation-server-down', {
    talk: { ...talk, items, connection: 'reconnecting' },
    clinic: { ...clinic, afterHours: true },
  }),
  inside('conversation-photo', {
    compose: {
      text: 'My weight today',
      staged: { kind: 'image', name: 'photo.jpg', blob: new Blob(['x']), url: 'photo' },
      preparing: false,
      notice: null,
    },
  }),
  inside('conversation-too-big', { compose: { text: '', staged: null, preparing: false, notice: 'too-big' } }),
  inside('about', { overlay: { is: 'about' } }),
  inside('consents', { overlay: { is: 'consents', list: consents, saving: null, note: 'saved' } }),
  inside('leave', { overlay: { is: 'leave' }, talk: { ...talk, items: troubled } }),
  inside('idle', { overlay: { is: 'idle' }, session: { ...session, idleAt: now + 84_000 } }),
  inside('reauth', { overlay: { is: 'reauth', fault: null, triesLeft: 3, busy: false } }),
]

const spanish = ['landing', 'birth-date-wrong', 'closed', 'opening', 'conversation', 'about', 'consents', 'idle']
for (const { name, state } of fixtures.filter(fixture => spanish.includes(fixture.name)))
  fixtures.push({ name: `${name}-es`, state: { ...state, lang: 'es' } })
