// The search runs in a worker, and browsers start none from a file. On a page that was opened from a
// disk or a stick, a hidden frame takes its place. The builder would load such a stand-in from a
// network; it leaves that where a file of this name is given.
if (location.protocol === "file:") {
  window.Worker = class extends EventTarget {
    onmessage = null;
    onerror = null;
    onmessageerror = null;

    constructor(address) {
      super();
      this.frame = document.createElement("iframe");
      this.frame.hidden = true;
      document.body.append(this.frame);
      const inside = this.frame.contentWindow;
      inside.postMessage = (sent) => {
        const data = structuredClone(sent);
        setTimeout(() => this.tell(new MessageEvent("message", { data })));
      };
      const script = inside.document.createElement("script");
      script.src = new URL(address, document.baseURI).href;
      this.ready = new Promise((resolve) => { script.onload = resolve; });
      script.onerror = () => this.tell(new Event("error"));
      inside.document.head.append(script);
    }

    tell(event) {
      this["on" + event.type]?.(event);
      this.dispatchEvent(event);
    }

    postMessage(sent) {
      const data = structuredClone(sent);
      this.ready.then(() => {
        const inside = this.frame.contentWindow;
        inside?.dispatchEvent(new inside.MessageEvent("message", { data }));
      });
    }

    terminate() {
      this.frame.remove();
    }
  };
}
