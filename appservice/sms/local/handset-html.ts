const entities: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' }
const esc = (text: string): string => text.replace(/[&<>"']/g, c => entities[c] ?? c)

const shell = (title: string, bodyClass: string, body: string, script = ''): string => `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1, viewport-fit=cover">
<meta name="robots" content="noindex">
<meta name="color-scheme" content="light dark">
<title>${esc(title)}</title>
<link rel="stylesheet" href="/handset/handset.css">
</head>
<body class="${bodyClass}">
${body}
${script}
</body>
</html>
`

export type HandsetRow = { number: string; pretty: string; last: string; at: number }

/** All telephones that a text went to or came from. */
export const listPage = (rows: readonly HandsetRow[]): string =>
  shell(
    'Handsets',
    'list',
    `<main>
<h1>Handsets</h1>
<p class="lead">Every telephone number that a text went to. Nothing here leaves this machine: it stands in for the SMS provider and for the patients' telephones.</p>
${
  rows.length === 0
    ? '<p class="empty">No text has been sent yet. Add a patient with <code>!patient add</code>, or open <code>/handset/</code> followed by a number.</p>'
    : `<ul class="phones">${rows
        .map(
          r =>
            `<li><a href="/handset/${esc(r.number)}"><strong>${esc(r.pretty)}</strong><span>${esc(r.last)}</span></a></li>`,
        )
        .join('')}</ul>`
}
</main>`,
  )

/** One telephone. */
export const handsetPage = ({
  number,
  pretty,
  page,
  frames,
}: {
  number: string
  pretty: string
  page: string
  /** The patient page may be shown inside the telephone; otherwise it opens in a tab. */
  frames: boolean
}): string =>
  shell(
    `Handset ${pretty}`,
    'phone',
    `<div class="device" data-number="${esc(number)}" data-page="${esc(page)}" data-frames="${frames ? 'yes' : 'no'}">
<header class="bar">
<p class="clock" aria-hidden="true"><time id="clock"></time><span class="signal"><i></i><i></i><i></i><i></i></span></p>
<div class="who"><span class="avatar" aria-hidden="true">✚</span><div><h1 id="who">Messages</h1><p>on the telephone ${esc(pretty)}</p></div><a class="all" href="/handset" aria-label="All handsets">☰</a></div>
</header>
<main id="thread" aria-live="polite" tabindex="0" aria-label="Conversation"><p class="empty" id="empty">No texts yet.<br>They appear here the moment they arrive.</p></main>
<form id="reply" autocomplete="off" aria-label="Reply">
<div class="quick"><button type="button">STOP</button><button type="button">HELP</button><button type="button">START</button></div>
<div class="write"><label class="hidden" for="body">Text message</label><input id="body" name="body" maxlength="1600" placeholder="Text message"><button type="submit" aria-label="Send">↑</button></div>
</form>
<section class="browser" id="browser" aria-label="Browser" hidden>
<div class="address"><button type="button" id="back" aria-label="Back to the messages">‹ Messages</button><span id="where"></span><a id="own" target="_blank" rel="noreferrer" aria-label="Open in a tab of its own">↗</a></div>
</section>
</div>`,
    '<script src="/handset/handset.js"></script>',
  )
