/**
 * What an incoming SMS means. `stop` and `start` in every language that we ship, with any case, accent and punctuation, and free-text revocation (row 66);
 * `wrong_number` is a stop that the care team also hears of. `bare`: the text is only the keyword, so that nothing is lost when it is not passed on.
 */
export type Meaning = 'stop' | 'start' | 'help' | 'wrong_number' | 'text'
export type Reading = { meaning: Meaning; bare: boolean }

const set = (words: string) => new Set(words.split(' '))
/** Stop also beside words of courtesy ("stop please"); the second set only alone, because "cancel please" may answer a reminder. */
const firmStops = set(
  'stop stopall unsubscribe quit optout revoke revocar alto parar pare paren detener detenga desuscribir desuscribirme basta',
)
const aloneStops = set('cancel end cancelar cancele baja para fin terminar salir')
const startWords = set(
  'start unstop resume subscribe optin comenzar comience empezar iniciar inicio reanudar continuar suscribir alta',
)
const yesWords = set('yes si')
const helpWords = set('help info ayuda informacion')
const fillers = set(
  'please pls plz now thanks thank you ok okay all it this everything immediately msg msgs message messages text texts texting sms por favor ya gracias todo todos los mensajes textos',
)

/** Lower case without accents; anything that is neither a letter nor a digit parts words; letters set apart ("S T O P") are one word. */
export const wordsOf = (text: string): string[] => {
  const words = text
    .normalize('NFKD')
    .replace(/\p{M}/gu, '')
    .toLowerCase()
    .replace(/['’]/g, '')
    .split(/[^\p{L}\p{N}]+/u)
    .filter(Boolean)
  const joined = words.join('')
  return words.length > 2 && words.every(w => w.length === 1) && (firmStops.has(joined) || startWords.has(joined))
    ? [joined]
    : words
}

const sending = '(?:text|texts|texting|message|messages|messaging|sms|msg|msgs|notification|notifications|alert|alerts)'
const pointing =
  '(?:(?:me|us|all|these|those|this|the|your|any|more|of|my|phone|number|to|with|automated|sending|getting|receiving)\\s)*'
const mensajes = '(?:mensaje|mensajes|texto|textos|sms|avisos|notificaciones)'
const tail = `(?:\\s(?:mas|estos|esos|los|sus|tantos))*(?:\\s${mensajes}|$|\\spor\\sfavor|\\sya)`

/** A wish not to be texted, in a sentence. Each pattern needs a word about messages, so that "can I stop the tablets" is a text for the care team. */
const wishes = [
  `(?:^|\\b(?:please|pls|to|you|now|just|must|and)\\s)stop\\s(?:texting|messaging|contacting|bothering|spamming|writing\\sto|writing)\\b`,
  `(?<!\\b(?:not|cant|cannot|couldnt|wont)\\s)\\bstop\\s${pointing}${sending}\\b`,
  `\\b(?:do\\snot|dont|never|quit)\\s(?:ever\\s)?(?:text|texting|message|messaging|sms|contact|contacting)\\s(?:me|us|this|here|my|anymore|again)\\b`,
  `\\b(?:do\\snot|dont)\\ssend\\s${pointing}${sending}\\b`,
  `\\b(?:do\\snot|dont)\\swant\\s(?:to\\s(?:get|receive|have)\\s)?${pointing}${sending}\\b`,
  `^no\\smore\\s${pointing}${sending}\\b`,
  `\\b(?:take|remove|delete)\\s(?:me|my\\snumber|my\\sphone|this\\snumber)\\s(?:off|from)\\s(?:\\w+\\s){0,3}(?:list|lists|database|system|texts|messages|sms)\\b`,
  `^(?:please\\s)?(?:remove\\sme|unsubscribe\\sme|opt\\sme\\sout|opt\\sout|leave\\sme\\salone)\\b`,
  `\\b(?:i\\s(?:want|would\\slike|wish)\\sto\\s|let\\sme\\s)(?:opt\\sout|unsubscribe)\\b`,
  `\\b(?:i\\s)?(?:revoke|withdraw)\\s(?:my\\s)?(?:consent|permission)\\b`,
  `\\bno\\s(?:me\\s|nos\\s)?(?:mande|manden|mandes|envie|envien|envies|escriba|escriban|escribas)${tail}`,
  `\\b(?:deje|dejen|deja|pare|paren|para)\\sde\\s(?:mandar|mandarme|enviar|enviarme|escribir|escribirme)${tail}`,
  `\\bno\\s(?:quiero|deseo)\\s(?:(?:recibir|mas|estos|esos|sus|los|que\\sme\\smanden|que\\sme\\senvien)\\s)*${mensajes}\\b`,
  `\\b(?:dar\\s?me|darme|deme|denme|quiero\\sdarme)\\sde\\sbaja\\b`,
  `\\b(?:quiteme|quitenme|borreme|borrenme|eliminen?me)\\s(?:de\\s)?(?:la\\s|su\\s)?lista\\b`,
].map(p => new RegExp(p, 'u'))

const wrongNumber = [
  /\bwrong\s(?:number|person|phone)\b/u,
  /\bnumero\s(?:equivocado|incorrecto|erroneo)\b/u,
  /\bse\sequivoco\sde\s(?:numero|persona)\b/u,
]

/** Reads one incoming text. */
export const readKeyword = (text: string): Reading => {
  const words = wordsOf(text)
  const first = words[0]
  if (!first) return { meaning: 'text', bare: false }
  const only = (keys: ReadonlySet<string>) => words.length === 1 && keys.has(first)
  if (only(aloneStops)) return { meaning: 'stop', bare: true }
  if (words.length <= 6 && words.some(w => firmStops.has(w)) && words.every(w => firmStops.has(w) || fillers.has(w)))
    return { meaning: 'stop', bare: true }
  if (words.length === 2 && `${words[0]} ${words[1]}` === 'opt out') return { meaning: 'stop', bare: true }
  if (only(startWords) || only(yesWords)) return { meaning: 'start', bare: true }
  if (only(helpWords)) return { meaning: 'help', bare: true }
  const sentence = words.join(' ')
  if (wrongNumber.some(p => p.test(sentence))) return { meaning: 'wrong_number', bare: words.length <= 3 }
  if (wishes.some(p => p.test(sentence))) return { meaning: 'stop', bare: false }
  return { meaning: 'text', bare: false }
}

export const meaningOf = (text: string): Meaning => readKeyword(text).meaning

/** "Yes" restores texts only where they were stopped; otherwise it is an answer. */
export const isYes = (text: string): boolean => {
  const words = wordsOf(text)
  return words.length === 1 && yesWords.has(words[0] ?? '')
}

const spanish = set(
  'alto parar pare baja detener cancelar basta ayuda informacion comenzar empezar hola gracias por favor que necesito quiero tengo cita mi el la los una numero senor doctora si',
)
/** In which language to answer somebody whom we do not know. */
export const guessLang = (text: string): 'en' | 'es' => {
  const words = wordsOf(text)
  return words.filter(w => spanish.has(w)).length * 3 >= Math.max(1, words.length) ? 'es' : 'en'
}

const twilioStops = set('stop stopall unsubscribe cancel end quit optout revoke')
/** Words that the SMS provider itself answers when its standard opt-out is on. */
export const isProviderStop = (text: string): boolean => {
  const words = wordsOf(text)
  return words.length === 1 && twilioStops.has(words[0] ?? '')
}

/** A choice such as `2`, `#2`, `2.`, `dos` or `two`; null when it is none of 1 to `most`. */
export const readChoice = (text: string, most: number): number | null => {
  const words = wordsOf(text)
  const first = words[0] ?? ''
  const spoken = [
    ['one', 'uno', 'una'],
    ['two', 'dos'],
    ['three', 'tres'],
    ['four', 'cuatro'],
    ['five', 'cinco'],
  ]
  const at = spoken.findIndex(names => names.includes(first))
  const n = at >= 0 ? at + 1 : /^\d$/.test(first) ? Number(first) : Number.NaN
  return words.length === 1 && n >= 1 && n <= most ? n : null
}
