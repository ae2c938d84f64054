"""A stand-in for drawing, which takes most of a run's time, in tests that look at no plot."""


class NoDrawing:
    """Takes the place of `dse.report.drawing.Drawing`, and draws nothing."""

    def __init__(self, folder):
        self.folder = folder

    def __enter__(self):
        return self

    def __exit__(self, *_):
        pass

    def draw(self, *names):
        pass

    def wait(self):
        pass

    def finish(self):
        pass
