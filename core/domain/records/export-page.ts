import { type ExportLine, isPicture } from './export-line.ts'

/** `head`: what the package is. `people`: who an opaque user is, e.g. the patient. */
export type PageHead = { title: string; lines: readonly (readonly [string, string])[] }
export type PageRoom = { room: string; name: string; members: readonly MemberChange[] }
export type MemberChange = { at: string; user: string; membership: string; by: string }

/** For text and attribute values of HTML; control characters that no page may hold become a sign. */
export const escapeHtml = (text: string): string =>
  text
    .toWellFormed()
    // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is replaced
    .replace(/[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ufffe\uffff]/g, '\ufffd')
    // Marks that turn the direction of what follows could make a line read as another one.
    .replace(/[\u202a-\u202e\u2066-\u2069]/g, '\ufffd')
    .replace(/[&<>"']/g, c => `&#${c.charCodeAt(0)};`)

const style = `
body{font:16px/1.5 system-ui,sans-serif;color:#1b1b1b;background:#fff;max-width:48rem;margin:0 auto;padding:1rem}
h1{font-size:1.5rem}h2{font-size:1.2rem;margin-top:2.5rem;border-top:2px solid #444;padding-top:1rem;overflow-wrap:anywhere}
dl{display:grid;grid-template-columns:max-content 1fr;gap:.2rem 1rem}dt{font-weight:600}dd{margin:0;overflow-wrap:anywhere}
ol{list-style:none;padding:0}li{border-bottom:1px solid #ccc;padding:.6rem 0;break-inside:avoid}
p{margin:.2rem 0;white-space:pre-wrap;overflow-wrap:anywhere}.who{font-weight:600}.when,.note{color:#4a4a4a;font-size:.875rem}
.note{border-left:3px solid #767676;padding-left:.5rem}img{max-width:100%;max-height:24rem;display:block}
table{border-collapse:collapse;width:100%;font-size:.875rem}th,td{text-align:left;border:1px solid #bbb;padding:.2rem .4rem;overflow-wrap:anywhere}
@media print{body{max-width:none;padding:0;font-size:10pt}h2{break-before:page}img{max-height:12cm}a{color:inherit;text-decoration:none}}
`

const policy =
  "default-src 'none'; img-src 'self' file:; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"

const time = (at: string): string =>
  `<time class="when" datetime="${escapeHtml(at)}">${escapeHtml(at.replace('T', ' ').replace(/\.\d+Z$/, ''))} UTC</time>`

/** The page up to the first room. Self-contained: no script, nothing from elsewhere but the package's own pictures. */
export const pageStart = ({ title, lines }: PageHead): string => `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="${policy}"><meta name="referrer" content="no-referrer">
<title>${escapeHtml(title)}</title><style>${style}</style></head><body><main>
<h1>${escapeHtml(title)}</h1>
<dl>${lines.map(([k, v]) => `<dt>${escapeHtml(k)}</dt><dd>${escapeHtml(v)}</dd>`).join('\n')}</dl>
<p class="note">All times are in UTC. manifest.json lists every file with its SHA-256; messages.jsonl has every event as it was stored.</p>
`

export const pageRoom = ({ room, name, members }: PageRoom): string => `<section>
<h2>${escapeHtml(name)}</h2>
<p class="when">${escapeHtml(room)}</p>
<details open><summary>Who was in the room, and when (${members.length} changes)</summary>
<table><thead><tr><th scope="col">When</th><th scope="col">Who</th><th scope="col">Became</th><th scope="col">By</th></tr></thead><tbody>
${members.map(m => `<tr><td>${time(m.at)}</td><td>${escapeHtml(m.user)}</td><td>${escapeHtml(m.membership)}</td><td>${escapeHtml(m.by)}</td></tr>`).join('\n')}
</tbody></table></details>
<ol>
`

export const pageRoomEnd = '</ol></section>\n'

export const pageEnd = (notes: readonly string[]): string =>
  `<section><h2>What is not here</h2>${notes.length === 0 ? '<p>Everything in the range could be read.</p>' : `<ol>${notes.map(n => `<li><p>${escapeHtml(n)}</p></li>`).join('\n')}</ol>`}</section></main></body></html>\n`

/** Why a message could not be read, in words. */
export const unreadableWords: Record<string, string> = {
  'no-room-key': 'its room key is in no device and no backup that the officers can open',
  'room-key-begins-later': 'the room key that is there begins after this message',
  'mismatched-identity': 'its room key was made by another device than it says',
  damaged: 'it is damaged, or was sent twice with the same number',
  destroyed: 'its content was destroyed by retention, recall or the sender before the export',
}

const words = (code: string): string => unreadableWords[code] ?? code

const body = ({ content }: ExportLine): string => {
  const shown = (content?.['m.new_content'] ?? content) as Record<string, unknown> | null
  return typeof shown?.body === 'string' ? shown.body : ''
}

const note = (text: string): string => `<p class="note">${escapeHtml(text)}</p>`

const about = (line: ExportLine, verb: string): string =>
  line.about ? `<p class="note">${verb} <a href="#${escapeHtml(line.about)}">${escapeHtml(line.about)}</a></p>` : ''

const media = (line: ExportLine): string => {
  const m = line.media
  if (!m) return ''
  if ('missing' in m) return note(`The file ${m.name} is missing: ${m.missing}`)
  const picture = isPicture(m.path) ? `<img src="${m.path}" alt="Picture: ${escapeHtml(m.name)}">` : ''
  return `${picture}<p><a href="${m.path}">${escapeHtml(m.name)}</a> (${m.bytes} bytes)</p>`
}

const reaction = ({ content }: ExportLine): string => {
  const relation = content?.['m.relates_to'] as { key?: unknown } | undefined
  return typeof relation?.key === 'string' ? relation.key : ''
}

const said = (line: ExportLine): string => {
  if (line.unreadable) return note(`This message cannot be read: ${words(line.unreadable)}.`)
  if (line.what === 'removal') return about(line, 'Removed')
  if (line.what === 'reaction') return `<p>${escapeHtml(reaction(line))}</p>${about(line, 'Reaction to')}`
  const text = body(line)
  const edit = line.what === 'edit' ? about(line, 'Edit of') : ''
  const reply = line.replies_to ? about({ ...line, about: line.replies_to }, 'Answer to') : ''
  const none = text === '' && line.content !== null && !line.media ? note(`Event of type ${line.type}`) : ''
  return `${edit}${reply}${text === '' || line.media ? '' : `<p>${escapeHtml(text)}</p>`}${media(line)}${none}`
}

/** One event as people read it; empty for room state, which `messages.jsonl` has. */
export const pageLine = (line: ExportLine, people: ReadonlyMap<string, string>): string => {
  if (line.what === 'state') return ''
  const who = people.get(line.sender)
  const gone = line.removed
    ? note(
        `Removed by ${people.get(line.removed.by) ?? line.removed.by}, ${line.removed.at}${line.content ? '; this is what it said' : ''}.`,
      )
    : ''
  const copy =
    line.source === 'sealed-copy' ? note('Out of the sealed copy that a legal hold or a statutory minimum kept.') : ''
  const unseen = line.unseen ? note('It reached this server too late to be shown to anybody.') : ''
  return `<li id="${escapeHtml(line.event_id)}"><p><span class="who">${escapeHtml(who ? `${who} (${line.sender})` : line.sender)}</span> ${time(line.sent_at)}</p>${said(line)}${gone}${copy}${unseen}</li>\n`
}
