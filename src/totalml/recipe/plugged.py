"""What a recipe plugs into a socket for classes of other packages."""

from pydantic import AfterValidator

from totalml.component import ForeignComponent, Section
from totalml.sockets import Socket


def in_socket(*sockets: Socket, kind: type[Section] = ForeignComponent) -> AfterValidator:
    """Accept a class of another package that one of the sockets takes, or a component of our own `kind`."""

    def check(component: Section) -> Section:
        if isinstance(component, ForeignComponent):
            fits, given = any(socket.takes(component.target) for socket in sockets), component.target
        else:
            fits, given = isinstance(component, kind), type(component).__name__
        if not fits:
            wanted = " or ".join(f"{socket.noun} of {socket.under}" for socket in sockets)
            ours = "" if kind is ForeignComponent else f" or a component of kind {kind.__name__}"
            raise ValueError(f"expected {wanted}{ours}, got {given}")
        return component

    return AfterValidator(check)
