import { render } from 'preact'
import { createApi } from './api.ts'
import { App } from './app.tsx'

const page = document.querySelector('#page')!
page.textContent = ''
render(<App api={createApi((url, init) => fetch(url, init))} />, page)
