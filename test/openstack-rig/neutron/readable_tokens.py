"""A stand-in for keystonemiddleware: the token `alice:blue:member` is that of user alice, a member of project blue."""

import webob.dec
import webob.exc

IDENTITY = ("HTTP_X_USER_ID", "HTTP_X_PROJECT_ID", "HTTP_X_ROLES")


def factory(_global_conf, **_local_conf):
    return filter_application


def filter_application(application):
    @webob.dec.wsgify
    def authenticate(request):
        words = request.headers.get("X-Auth-Token", "").split(":")
        if len(words) != len(IDENTITY):
            raise webob.exc.HTTPUnauthorized()
        request.environ.update(zip(IDENTITY, words))
        return application

    return authenticate
