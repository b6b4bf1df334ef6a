import { render } from 'preact'
import { createApi } from './api.ts'
import { App } from './app.tsx'

const page = document.querySelector('#page')!
page.textContent = ''
// A page that the browser kept aside and shows again must not show the log to whoever comes next.
window.addEventListener('pageshow', event => {
  if (event.persisted) location.reload()
})
render(<App api={createApi((url, init) => fetch(url, init))} />, page)
