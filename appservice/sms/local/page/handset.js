// The telephone's screen: texts come as server-sent events; the page's own origin opens in a frame inside the telephone, other addresses in a tab.
const device = document.querySelector('.device')
const { number, page, frames } = device.dataset
const thread = document.getElementById('thread')
const browser = document.getElementById('browser')
const known = new Map()

const time = at => new Date(at).toLocaleTimeString([], { hour: 'numeric', minute: '2-digit' })
const tick = () => {
  document.getElementById('clock').textContent = time(Date.now())
}
tick()
setInterval(tick, 15_000)

const open = url => {
  browser.querySelector('iframe')?.remove()
  const frame = document.createElement('iframe')
  frame.title = 'The page behind the link'
  frame.allow = 'microphone; camera'
  frame.referrerPolicy = 'no-referrer'
  frame.src = url
  browser.append(frame)
  document.getElementById('where').textContent = new URL(url).host
  document.getElementById('own').href = url
  browser.hidden = false
  document.getElementById('back').focus()
}
document.getElementById('back').addEventListener('click', () => {
  browser.querySelector('iframe')?.remove()
  browser.hidden = true
  document.getElementById('body').focus()
})

const link = url => {
  const a = document.createElement('a')
  a.href = url
  a.textContent = url
  a.rel = 'noreferrer'
  if (frames === 'yes' && new URL(url).origin === page)
    a.addEventListener('click', event => {
      if (event.ctrlKey || event.metaKey || event.shiftKey) return
      event.preventDefault()
      open(url)
    })
  else a.target = '_blank'
  return a
}

const words = (target, text) => {
  let from = 0
  for (const m of text.matchAll(/https?:\/\/[^\s<>"]*[^\s<>".,;:!?)]/g)) {
    target.append(text.slice(from, m.index), link(m[0]))
    from = m.index + m[0].length
  }
  target.append(text.slice(from))
}

const states = { delivered: 'Delivered', sent: 'Arriving…', received: 'Sent' }
const show = m => {
  document.getElementById('empty')?.remove()
  let bubble = known.get(m.sid)
  if (!bubble) {
    const atEnd = thread.scrollHeight - thread.scrollTop - thread.clientHeight < 80
    bubble = document.createElement('div')
    bubble.className = m.mine ? 'text mine' : 'text'
    bubble.dataset.sid = m.sid
    const body = document.createElement('p')
    words(body, m.body)
    const note = document.createElement('small')
    bubble.append(body, note)
    thread.append(bubble)
    known.set(m.sid, bubble)
    if (!m.mine) {
      const clinic = /^([^:]{1,40}):/.exec(m.body)
      if (clinic) document.getElementById('who').textContent = clinic[1]
    }
    if (atEnd || m.mine) thread.scrollTop = thread.scrollHeight
  }
  bubble.querySelector('small').textContent = `${time(m.at)}${m.mine ? ` · ${states[m.status] ?? m.status}` : ''}`
}

const events = new EventSource(`/handset/${encodeURIComponent(number)}/events`)
events.addEventListener('message', event => show(JSON.parse(event.data)))
events.addEventListener('ready', () => {
  device.dataset.ready = 'yes'
})
events.addEventListener('error', () => {
  device.dataset.ready = 'no'
})

const input = document.getElementById('body')
const send = async body => {
  if (!body.trim()) return
  const answer = await fetch('/local/inbound', {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ from: number, body }),
  })
  if (answer.ok && input.value === body) input.value = ''
}
document.getElementById('reply').addEventListener('submit', event => {
  event.preventDefault()
  send(input.value)
})
for (const b of document.querySelectorAll('.quick button')) b.addEventListener('click', () => send(b.textContent))
