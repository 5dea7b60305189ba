"""Where frames come from: files, folders, lists, videos, memory."""
