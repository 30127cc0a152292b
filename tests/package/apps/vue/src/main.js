/** Vue 3 with the element; `Skin.vue` and `vite.config.js` are those of docs/embedding.md. */
import { createApp } from 'vue';
import Skin from './Skin.vue';

createApp(Skin).mount('#app');
